//! Tests of the judgement alone: cases by name, and random ones against an evaluator of their own.

mod cases;
mod changes;
mod fleet;
mod principals;
mod random;
mod scene;
mod statements;
