//! Runs read back from the JSON report.

use crate::event::{Run, SCHEMA};

/// Why a text is no saved run.
#[derive(Debug, thiserror::Error)]
pub enum SavedRunError {
    /// It is not the JSON of a run.
    #[error("is not a JSON report of this program: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of another version.
    #[error("is of the form {found:?}; this version reads {SCHEMA:?}")]
    Schema {
        /// What it says it is.
        found: String,
    },
}

/// Reads what `--format json` wrote.
///
/// # Errors
/// If the text is not JSON, not a run, or a run of another schema.
pub fn read_run(text: &str) -> Result<Run, SavedRunError> {
    /// What every version has.
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema: String,
    }
    let Versioned { schema } = serde_json::from_str(text)?;
    if schema != SCHEMA {
        return Err(SavedRunError::Schema { found: schema });
    }
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, json};

    fn saved(run: &Run) -> String {
        let mut text = Vec::new();
        json::write(run, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_run_survives_being_saved() {
        let run = fixture::run();
        assert_eq!(read_run(&saved(&run)).unwrap(), run);
    }

    #[test]
    fn what_is_no_run_is_refused_with_the_reason() {
        let mut run = fixture::run();
        run.started.schema = "framespec/99".into();
        let error = read_run(&saved(&run)).unwrap_err().to_string();
        assert!(
            error.contains("framespec/99") && error.contains(SCHEMA),
            "{error}"
        );
        let error = read_run("{}").unwrap_err().to_string();
        assert!(error.contains("schema"), "{error}");
        let error = read_run(&format!("{{\"schema\":{SCHEMA:?}}}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("missing field"), "{error}");
    }
}
