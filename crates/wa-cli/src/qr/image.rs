//! A QR code as a PNG or SVG file that exists only while the code is worth scanning.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Matrix, QUIET_ZONE};
use crate::args::QrArgs;
use crate::private_file;

/// Pixels per module: large enough for a phone to read the file from another screen.
const SCALE: usize = 8;

/// Which picture to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

/// The pictures asked for on the command line.
#[derive(Default)]
pub(crate) struct Pictures(Vec<PictureFile>);

impl Pictures {
    pub(crate) fn new(args: &QrArgs) -> Self {
        let png = args.qr_png.iter().map(|path| (path, Format::Png));
        let svg = args.qr_svg.iter().map(|path| (path, Format::Svg));
        let files = png
            .chain(svg)
            .map(|(path, format)| PictureFile::new(path.clone(), format, args.invert));
        Self(files.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shows the code in every picture; says which could not be written.
    pub(crate) fn show(&mut self, matrix: &Matrix) -> Vec<String> {
        let mut problems = Vec::new();
        for picture in &mut self.0 {
            if let Err(error) = picture.show(matrix) {
                let path = picture.path.display();
                problems.push(format!(
                    "The QR code could not be written to {path}: {error}."
                ));
            }
        }
        problems
    }

    /// Removes the pictures of ours.
    pub(crate) fn remove(&mut self) {
        for picture in &mut self.0 {
            picture.remove();
        }
    }
}

/// A picture file: replaced whole when the code rotates, removed when it expires and at the end.
struct PictureFile {
    path: PathBuf,
    format: Format,
    invert: bool,
    written: bool,
}

impl PictureFile {
    fn new(path: PathBuf, format: Format, invert: bool) -> Self {
        Self {
            path,
            format,
            invert,
            written: false,
        }
    }

    /// Writes beside the target and renames: whoever looks sees the old picture or the new one, never a part.
    fn show(&mut self, matrix: &Matrix) -> io::Result<()> {
        let picture = match self.format {
            Format::Png => png(matrix, self.invert)?,
            Format::Svg => svg(matrix, self.invert).into_bytes(),
        };
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = self.path.with_file_name(name);
        // A part of ours that a crash has left over.
        let _ = fs::remove_file(&part);
        // Whoever reads the picture can link the account: only the owner may.
        let result =
            private_file::write_new(&part, &picture).and_then(|()| fs::rename(&part, &self.path));
        if result.is_err() {
            let _ = fs::remove_file(&part);
        } else {
            self.written = true;
        }
        result
    }

    /// Removes the picture, if there is one of ours.
    fn remove(&mut self) {
        if std::mem::take(&mut self.written) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        self.remove();
    }
}

fn png(matrix: &Matrix, invert: bool) -> io::Result<Vec<u8>> {
    let side = (matrix.size() + 2 * QUIET_ZONE) * SCALE;
    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        for byte in 0..side.div_ceil(8) {
            let light = |x: usize| matrix.is_dark(QUIET_ZONE, x / SCALE, y / SCALE) == invert;
            pixels.push((0..8).fold(0, |bits, bit| bits << 1 | u8::from(light(byte * 8 + bit))));
        }
    }
    let extent = u32::try_from(side).map_err(io::Error::other)?;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, extent, extent);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&pixels).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)?;
    Ok(out)
}

fn svg(matrix: &Matrix, invert: bool) -> String {
    use std::fmt::Write as _;
    let side = matrix.size() + 2 * QUIET_ZONE;
    let (ground, ink) = if invert {
        ("#000", "#fff")
    } else {
        ("#fff", "#000")
    };
    let mut path = String::new();
    for y in 0..side {
        for x in (0..side).filter(|x| matrix.is_dark(QUIET_ZONE, *x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"{ground}\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"{ink}\" d=\"{path}\"/></svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{long_text, scanned};
    use super::*;

    fn pixels_of(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut decoder = png::Decoder::new(io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, info.height as usize, pixels)
    }

    #[test]
    fn the_png_is_read_back_by_a_scanner() {
        let text = long_text();
        let matrix = Matrix::encode(&text).unwrap();
        for invert in [false, true] {
            let (width, height, pixels) = pixels_of(&png(&matrix, invert).unwrap());
            assert_eq!(width, (matrix.size() + 8) * SCALE);
            let read = scanned(width / SCALE, height / SCALE, |x, y| {
                (pixels[(y * SCALE + SCALE / 2) * width + x * SCALE + SCALE / 2] == 0) != invert
            });
            assert_eq!(read, text);
        }
    }

    #[test]
    fn the_svg_draws_every_dark_module_once() {
        let matrix = Matrix::encode("hello").unwrap();
        let svg = svg(&matrix, false);
        let dark = (0..29).flat_map(|y| (0..29).map(move |x| (x, y)));
        let dark: Vec<_> = dark
            .filter(|(x, y)| matrix.is_dark(QUIET_ZONE, *x, *y))
            .collect();
        assert_eq!(svg.matches("h1v1h-1z").count(), dark.len());
        assert!(
            dark.iter()
                .all(|(x, y)| svg.contains(&format!("M{x} {y}h1v1h-1z")))
        );
        assert!(svg.contains("viewBox=\"0 0 29 29\""));
    }

    #[test]
    fn the_file_is_private_replaced_whole_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.svg");
        let mut file = PictureFile::new(path.clone(), Format::Svg, false);
        file.show(&Matrix::encode("one").unwrap()).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        file.show(&Matrix::encode("two").unwrap()).unwrap();
        assert_ne!(fs::read_to_string(&path).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no part is left over"
        );
        file.remove();
        assert!(!path.exists());

        file.show(&Matrix::encode("three").unwrap()).unwrap();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        fs::write(&path, "mine").unwrap();
        drop(PictureFile::new(path.clone(), Format::Png, false));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
