//! What people and programs do with Reeve, from beginning to end.

mod main_job;
