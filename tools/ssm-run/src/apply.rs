//! A run: its commands are sent wave by wave, followed while others are sent, and every node is reported exactly once.

mod budget;
mod cancel;
mod follow;
mod patches;
mod run;
mod send;
mod send_error;
mod wave;

use cli::Outcome;

use crate::observe::place::Place;
use crate::targets::Targets;
use records::Absence;
use wave::Work;

pub(crate) use patches::report as report_patches;
pub(crate) use run::Run;

impl Run<'_> {
    /// Runs on all nodes, in their order, wave by wave; what was sent before is followed first.
    ///
    /// # Errors
    /// Stdout cannot be written; everything else is reported as a record.
    pub(crate) async fn on(&self, places: &[Place], what: Targets) -> anyhow::Result<()> {
        let Targets {
            mut nodes,
            choices,
            flown,
        } = what;
        let Some(waves) = &self.order.waves else {
            let work = Work {
                nodes,
                choices,
                flown,
            };
            self.wave(places, work).await?;
            self.end();
            return Ok(());
        };
        let n_before: usize = flown.iter().map(|(_, flown)| flown.waiting.len()).sum();
        let n_nodes = n_before + nodes.len();
        let mut n_done = n_before;
        let before = Work {
            flown,
            ..Work::default()
        };
        let mut stopped = self.wave(places, before).await?;
        for end in waves.ends(n_nodes, n_before) {
            let rest = nodes.split_off(end - n_done);
            let wave = std::mem::replace(&mut nodes, rest);
            n_done = end;
            match &stopped {
                None => {
                    self.progress.say(&format!("{end} of {n_nodes} nodes"));
                    let work = Work {
                        nodes: wave,
                        ..Work::default()
                    };
                    stopped = self.wave(places, work).await?;
                }
                Some(reason) => {
                    for node in &wave {
                        if let Some(place) = places.get(node.place) {
                            self.report_all_without_command(
                                place,
                                [node],
                                Absence::NotSent,
                                reason,
                            )?;
                        }
                    }
                }
            }
        }
        self.end();
        Ok(())
    }

    fn end(&self) {
        if let Some(signal) = self.interrupt.signal() {
            self.count(Outcome::Interrupted(signal));
        }
    }
}
