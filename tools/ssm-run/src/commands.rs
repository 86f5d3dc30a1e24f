//! What the tool does, in a file of its own as the verbs of the other tools.

pub(crate) mod run;

pub(crate) use crate::arguments::GlobalArgs;
