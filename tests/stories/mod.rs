//! What people and programs do with Reeve, from beginning to end.

mod company;
mod hire;
mod main_job;
