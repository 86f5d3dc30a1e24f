//! Tests of the judgement alone: cases by name, and random ones against an evaluator of their own.

mod agreement;
mod asked;
mod becoming;
mod cases;
mod changes;
mod evaluator;
mod fleet_tests;
mod messages;
mod midway;
mod principals;
mod random;
mod random_tests;
mod requests;
mod resources;
mod scene;
mod statements;
mod traits;
