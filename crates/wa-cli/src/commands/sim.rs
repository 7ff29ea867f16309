//! `wa sim`.

use wa_sim::{FaultScript, Sim, SimOptions};

use crate::args::SimArgs;
use crate::exit::Failure;
use crate::machine::{self, Message};
use crate::output::cannot_print;
use crate::signals::Interrupt;

pub(crate) async fn run(args: SimArgs) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen()?;
    let faults = match &args.faults {
        Some(path) => FaultScript::load(path).map_err(other)?,
        None => FaultScript::default(),
    };
    let options = SimOptions {
        listen: args.listen,
        // The port for TLS cannot be the same one; it is printed.
        tls_listen: args.tls.then(|| (args.listen.ip(), 0).into()),
        control_listen: Some(args.control),
        phones: args.phones,
        faults,
        state_file: args.state,
        ..SimOptions::default()
    };
    let sim = Sim::start(options).await.map_err(other)?;
    let text = if args.json {
        json_line(&sim)
    } else {
        text(&sim)
    };
    machine::write(&text).map_err(cannot_print)?;
    interrupt.received().await;
    sim.shutdown().await.map_err(other)
}

fn json_line(sim: &Sim) -> String {
    Message::Sim {
        url: sim.url(),
        tls_url: sim.tls_url(),
        ca_pem: sim.ca_pem(),
        noise_root: sim.noise_root_hex(),
        control_url: sim.control_url(),
        phone: sim
            .default_phone()
            .map(|number| number.digits().to_string()),
    }
    .into_line()
}

fn text(sim: &Sim) -> String {
    let (url, root) = (sim.url(), sim.noise_root_hex());
    let mut text = format!("server      {url}\nnoise root  {root}\n");
    if let (Some(url), Some(pem)) = (sim.tls_url(), sim.ca_pem()) {
        text += &format!("over TLS    {url}\nits CA\n{}\n", pem.trim_end());
    }
    if let Some(control) = sim.control_url() {
        text += &format!("control     {control}\n");
        text += &format!(
            "\nTry it:  wa pair --server {url} --noise-root {root} --store /tmp/wa-try.db\n"
        );
        text += &format!("then:    wa phone scan '<text of the code>' --control {control}\n");
        text += "(a pairing code: `wa pair --code NUMBER …`, then `wa phone code ABCD-1234 …`)\n";
    }
    text
}

fn other(error: impl ToString) -> Failure {
    Failure::Other(error.to_string())
}
