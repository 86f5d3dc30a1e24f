//! Reads what others wrote: output of the collector, SBOMs, advisories. Decides nothing about them.

pub(crate) mod advisories;
mod bom;
pub(crate) mod collector;
mod container;
pub(crate) mod input;
pub(crate) mod kev;
mod tarred;
mod zipped;
mod zstd;
