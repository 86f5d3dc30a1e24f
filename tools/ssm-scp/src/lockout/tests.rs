//! Tests of the judgement alone.

mod cases;
mod changes;
mod principals;
mod scene;
mod statements;
