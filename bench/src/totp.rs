//! What a code of an MFA device costs: the three steps of the window computed and compared, for a code that fits none.

use std::hint::black_box;
use std::time::Instant;

use reeve_chassis::mfa::{Generator, SEED_BYTES, WINDOW_STEPS};

use crate::Outcome;

/// Codes verified in one measurement: so few that most measurements are not interrupted.
const CODES: u32 = 100;
/// Measurements, of which the median is told.
const ROUNDS: usize = 2_000;

/// Prints the figure.
pub(crate) fn run() -> Outcome {
    let generator = Generator::new(&[7; SEED_BYTES]).map_err(|error| error.to_string())?;
    let step = 60_000_000;
    let digits = (0..1_000_000).map(|number| format!("{number:06}"));
    let Some(wrong) = digits.into_iter().find(|code| generator.step_of(code, step, WINDOW_STEPS).is_none())
    else {
        return Err("every code fits".into());
    };
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..CODES {
                black_box(generator.step_of(black_box(&wrong), black_box(step), WINDOW_STEPS));
            }
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(CODES)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("totp_verification_us {:.2}", rounds.get(ROUNDS / 2).copied().unwrap_or_default());
    Ok(())
}
