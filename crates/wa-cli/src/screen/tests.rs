use super::*;
use crate::args::QrArgs;
use crate::qr::tests::long_text;

fn terminal() -> Surface {
    Surface::Terminal(Extent {
        columns: 100,
        rows: 60,
    })
}

fn offer(seq: u32) -> Offer {
    Offer {
        text: Zeroizing::new(long_text()),
        seq,
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

fn drawn(surface: fn() -> Surface, act: impl FnOnce(&mut Screen<&mut Vec<u8>>)) -> String {
    let mut out = Vec::new();
    let mut screen = Screen::new(&mut out, surface, false, Pictures::default());
    act(&mut screen);
    String::from_utf8(out).unwrap()
}

/// What a terminal of a hundred rows shows, and what has scrolled off it above.
fn rendered(text: &str) -> Vec<String> {
    rendered_on(100, text)
}

/// A terminal of this height that knows the few codes we use; returns all rows, those that have scrolled away
/// included, with their trailing spaces cut.
fn rendered_on(height: usize, text: &str) -> Vec<String> {
    let (mut rows, mut row) = (vec![String::new()], 0);
    let mut rest = text;
    while !rest.is_empty() {
        let top = rows.len().saturating_sub(height);
        if let Some(tail) = rest.strip_prefix("\x1b[") {
            let end = tail.find(|c: char| c.is_ascii_alphabetic()).unwrap();
            let (argument, code) = (&tail[..end], &tail[end..=end]);
            rest = &tail[end + 1..];
            match (argument, code) {
                // The cursor stops at the top of what is visible.
                (_, "A") => row = top.max(row - argument.parse::<usize>().unwrap().min(row)),
                ("", "H") => row = top,
                ("", "J") => {
                    rows.truncate(row);
                    rows.push(String::new());
                }
                ("2", "J") => rows[top..].iter_mut().for_each(String::clear),
                ("3", "J") => {
                    rows.drain(..top);
                    row -= top;
                }
                ("2", "K") => rows[row].clear(),
                (_, "m") => {}
                other => panic!("unexpected escape code {other:?}"),
            }
            continue;
        }
        let c = rest.chars().next().unwrap();
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' => {
                row += 1;
                if row == rows.len() {
                    rows.push(String::new());
                }
            }
            '\r' => {}
            c => rows[row].push(c),
        }
    }
    while rows.len() > row + 1 && rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows.iter().map(|row| row.trim_end().to_owned()).collect()
}

fn is_code(row: &str) -> bool {
    row.contains(['█', '▀', '▄'])
}

#[test]
fn a_pipe_never_gets_an_escape_code_and_each_code_once() {
    let text = drawn(
        || Surface::Plain,
        |screen| {
            screen.line("Connecting").unwrap();
            screen.show(offer(1)).unwrap();
            screen.tick().unwrap();
            screen.line("more").unwrap();
            screen.show(offer(2)).unwrap();
            screen.blank().unwrap();
        },
    );
    assert!(!text.contains('\x1b') && !text.contains('\r'));
    assert_eq!(text.matches(&long_text()).count(), 2);
    assert!(
        text.contains("QR code 1, valid for 20 s:\n")
            && text.contains("QR code 2, valid for 20 s:\n")
    );
}

#[test]
fn a_rotated_code_takes_the_place_of_the_one_before() {
    let once = rendered(&drawn(terminal, |screen| screen.show(offer(1)).unwrap()));
    let twice = rendered(&drawn(terminal, |screen| {
        screen.show(offer(7)).unwrap();
        screen.tick().unwrap();
        screen.show(offer(1)).unwrap();
        screen.tick().unwrap();
    }));
    assert_eq!(once, twice);
    assert!(once.iter().any(|row| row == "Code 1, valid for 20 s."));
}

#[test]
fn lines_stay_above_the_code_and_blanking_leaves_only_them() {
    let rows = rendered(&drawn(terminal, |screen| {
        screen.line("one").unwrap();
        screen.show(offer(1)).unwrap();
        screen.line("two").unwrap();
    }));
    assert_eq!(&rows[..2], ["one", "two"]);
    assert!(rows.len() > 30);
    let rows = rendered(&drawn(terminal, |screen| {
        screen.line("one").unwrap();
        screen.show(offer(1)).unwrap();
        screen.blank().unwrap();
        screen.line("two").unwrap();
    }));
    assert_eq!(rows, ["one", "two", ""]);
}

#[test]
fn a_narrow_terminal_gets_words_instead() {
    let narrow = || {
        Surface::Terminal(Extent {
            columns: 40,
            rows: 60,
        })
    };
    let text = drawn(narrow, |screen| {
        screen.show(offer(1)).unwrap();
        screen.tick().unwrap();
    });
    assert!(text.contains("40 columns wide") && text.contains("--qr-png"));
    assert!(!is_code(&text));
    assert!(text.ends_with("\x1b[1A\r\x1b[2KCode 1, valid for 20 s.\n"));
}

/// An ordinary terminal, lower than a code.
fn low() -> Surface {
    Surface::Terminal(Extent {
        columns: 100,
        rows: 24,
    })
}

#[test]
fn a_low_terminal_shows_one_code_and_its_countdown_only() {
    let shown = |text: &str| rendered_on(24, text);
    let once = shown(&drawn(low, |screen| {
        screen.line("one").unwrap();
        screen.line("two").unwrap();
        screen.show(offer(1)).unwrap();
    }));
    let often = shown(&drawn(low, |screen| {
        screen.line("one").unwrap();
        screen.show(offer(7)).unwrap();
        screen.tick().unwrap();
        screen.line("two").unwrap();
        screen.tick().unwrap();
        screen.show(offer(1)).unwrap();
        screen.tick().unwrap();
    }));
    assert_eq!(once, often);
    assert_eq!(&once[..2], ["one", "two"]);
    let end = once.len();
    assert!(is_code(&once[4]) && is_code(&once[end - 6]));
    assert!(once[end - 3].contains("24 rows") && once[end - 3].contains("enlarge the window"));
    assert!(once[end - 3].contains("--qr-png"));
    assert_eq!(&once[end - 2..], ["Code 1, valid for 20 s.", ""]);
}

#[test]
fn a_low_terminal_keeps_nothing_of_a_blanked_code_and_all_of_the_lines() {
    let rows = rendered_on(
        24,
        &drawn(low, |screen| {
            screen.line("one").unwrap();
            screen.show(offer(1)).unwrap();
            screen.tick().unwrap();
            screen.blank().unwrap();
            screen.line("two").unwrap();
        }),
    );
    assert_eq!(rows, ["one", "two", ""]);
}

#[test]
fn the_countdown_of_a_low_terminal_moves() {
    let text = drawn(low, |screen| {
        screen.show(offer(1)).unwrap();
        screen.tick().unwrap();
    });
    assert!(text.ends_with("\x1b[1A\r\x1b[2KCode 1, valid for 20 s.\n"));
}

#[test]
fn a_code_whose_time_is_over_goes_by_itself() {
    for (surface, height) in [(terminal as fn() -> Surface, 60), (low, 24)] {
        let text = drawn(surface, |screen| {
            let mut dead = offer(1);
            dead.deadline = Instant::now();
            screen.show(dead).unwrap();
            screen.tick().unwrap();
            assert!(!screen.is_showing());
        });
        assert_eq!(rendered_on(height, &text), [""]);
    }
}

#[test]
fn a_terminal_that_changes_size_is_drawn_anew() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static IS_LOW: AtomicBool = AtomicBool::new(false);
    let changing = || {
        if IS_LOW.load(Ordering::Relaxed) {
            low()
        } else {
            terminal()
        }
    };
    let text = drawn(changing, |screen| {
        screen.show(offer(1)).unwrap();
        IS_LOW.store(true, Ordering::Relaxed);
        screen.tick().unwrap();
    });
    let fresh = rendered_on(24, &drawn(low, |screen| screen.show(offer(1)).unwrap()));
    assert_eq!(rendered_on(24, &text), fresh);
}

#[test]
fn lines_are_kept_up_to_a_number() {
    for (said, kept) in [(KEPT_LINES, KEPT_LINES), (KEPT_LINES + 1, KEPT_LINES)] {
        let rows = rendered_on(
            24,
            &drawn(low, |screen| {
                screen.show(offer(1)).unwrap();
                for number in 0..said {
                    screen.line(&number.to_string()).unwrap();
                }
                screen.blank().unwrap();
            }),
        );
        assert_eq!(rows.len(), kept + 1, "and the row of the cursor");
        assert_eq!(rows[kept - 1], (said - 1).to_string());
    }
}

#[test]
fn pictures_follow_the_code_and_vanish_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code.png");
    let pictures = |path: &std::path::Path| {
        Pictures::new(&QrArgs {
            qr_png: Some(path.to_owned()),
            ..QrArgs::default()
        })
    };
    let mut screen = Screen::new(Vec::new(), || Surface::Plain, false, pictures(&path));
    screen.show(offer(1)).unwrap();
    assert!(path.exists());
    screen.blank().unwrap();
    assert!(!path.exists());

    let impossible = pictures(&folder.path().join("no/code.png"));
    let mut screen = Screen::new(Vec::new(), || Surface::Plain, false, impossible);
    screen.show(offer(1)).unwrap();
    assert!(
        String::from_utf8(screen.out.clone())
            .unwrap()
            .contains("could not be written")
    );
}

fn code(kind: CodeKind) -> CodeOffer {
    CodeOffer {
        kind,
        text: Zeroizing::new("ABCD-1234".to_owned()),
        deadline: Instant::now() + Duration::from_secs(180),
    }
}

#[test]
fn a_pairing_code_is_big_and_readable_and_says_where_it_goes() {
    let rows = rendered(&drawn(terminal, |screen| {
        screen.line("one").unwrap();
        screen.show_code(code(CodeKind::Pairing)).unwrap();
        screen.tick().unwrap();
        screen.line("two").unwrap();
    }));
    assert_eq!(&rows[..2], ["one", "two"]);
    assert!(rows[3..6].iter().all(|row| is_code(row)), "{rows:#?}");
    assert!(
        rows.iter()
            .any(|row| row == "Pairing code: \u{2066}ABCD-1234\u{2069}")
    );
    assert!(
        rows.iter()
            .any(|row| row.contains("Link with phone number"))
    );
    assert_eq!(rows[rows.len() - 2], "Pairing code, valid for 180 s.");
}

#[test]
fn a_narrow_terminal_has_the_code_in_small() {
    let narrow = || {
        Surface::Terminal(Extent {
            columns: 62,
            rows: 24,
        })
    };
    let text = drawn(narrow, |screen| {
        screen.show_code(code(CodeKind::Confirmation)).unwrap();
    });
    assert!(!is_code(&text) && text.contains("\u{2066}ABCD-1234\u{2069}"));
    assert!(text.contains("Confirmation code") && text.contains("same code"));
}

#[test]
fn a_code_and_a_qr_code_share_the_screen_and_go_one_by_one() {
    let both = |screen: &mut Screen<&mut Vec<u8>>| {
        screen.show_code(code(CodeKind::Pairing)).unwrap();
        screen.show(offer(1)).unwrap();
        screen.tick().unwrap();
    };
    let rows = rendered(&drawn(terminal, both));
    assert_eq!(
        rows[rows.len() - 2],
        "Pairing code, valid for 180 s. QR code 1, valid for 20 s."
    );
    let rest = rendered(&drawn(terminal, |screen| {
        both(screen);
        screen.blank().unwrap();
    }));
    let alone = rendered(&drawn(terminal, |screen| {
        screen.show_code(code(CodeKind::Pairing)).unwrap();
    }));
    assert_eq!(rest, alone);
    let nothing = rendered(&drawn(terminal, |screen| {
        both(screen);
        screen.blank().unwrap();
        screen.blank_code().unwrap();
        assert!(!screen.is_showing());
    }));
    assert_eq!(nothing, [""]);
}

#[test]
fn a_pairing_code_whose_time_is_over_goes_by_itself() {
    let text = drawn(terminal, |screen| {
        let mut dead = code(CodeKind::Pairing);
        dead.deadline = Instant::now();
        screen.show_code(dead).unwrap();
        screen.tick().unwrap();
        assert!(!screen.is_showing());
    });
    assert_eq!(rendered(&text), [""]);
}

#[test]
fn a_pipe_gets_a_pairing_code_once_and_bare() {
    let text = drawn(
        || Surface::Plain,
        |screen| {
            screen.show_code(code(CodeKind::Pairing)).unwrap();
            screen.tick().unwrap();
            screen.line("more").unwrap();
            screen.blank_code().unwrap();
        },
    );
    assert!(text.starts_with("Pairing code, valid for 180 s:\nABCD-1234\n"));
    assert_eq!(text.matches("ABCD-1234").count(), 1);
    assert!(text.is_ascii(), "no marks between what is copied: {text}");
}
