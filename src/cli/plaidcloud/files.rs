//! `plaidcloud paths`, `download` and `upload`: local data, and its way to and from PlaidCloud.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plaidcloud::Call;
use plaidcloud::conf::LocateError;
use plaidcloud::paths::Paths;
use serde_json::{Map, Value, json};

use super::arguments::{Limit, Method, json_argument, project_id};
use super::{From, dry_run, fail, print, read_bytes, usage, wait};
use crate::cli::{FAILED, complain, say};

/// Show `PROJECT_ROOT`, `LOCAL_STORAGE`, DEBUG and REPORTS, or resolve one name or text.
#[derive(Args, Debug)]
pub(super) struct PathsCommand {
    /// A name of paths.yaml, or a text with placeholders as in `'{LOCAL_STORAGE}/sales.csv'`.
    name: Option<String>,
    /// Make the four directories and those of `paths.create`.
    #[arg(long, conflicts_with = "name")]
    create: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl PathsCommand {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let Some(paths) = from.paths()? else {
            return Err(usage(
                "no YAML file beside plaid.conf has `paths`; docs/plaidcloud.md has an example of paths.yaml",
            ));
        };
        if let Some(name) = self.name {
            return resolve(&paths, &name, self.json);
        }
        if self.create {
            let made = paths.create().map_err(fail)?;
            return if self.json {
                print(json!(made).to_string().as_bytes())
            } else {
                made.iter().try_for_each(|path| print(path.as_bytes()))
            };
        }
        let all = paths.all();
        if self.json {
            let map: Map<String, Value> = all
                .into_iter()
                .map(|(name, path)| (name.to_owned(), path.into()))
                .collect();
            return print(Value::Object(map).to_string().as_bytes());
        }
        for (name, path) in all {
            say(&format!("{name}: {path}"));
        }
        Ok(())
    }
}

/// An unknown placeholder stays in the text, as PlaidCloud's own client leaves it, and is an error for the caller.
fn resolve(paths: &Paths, name: &str, json: bool) -> Result<(), u8> {
    let expanded = paths.lookup(name).map_err(fail)?;
    if json {
        print(Value::String(expanded.text).to_string().as_bytes())?;
    } else {
        print(expanded.text.as_bytes())?;
    }
    if expanded.unknown.is_empty() {
        return Ok(());
    }
    complain(&unknown(&expanded.unknown));
    Err(FAILED)
}

fn unknown(names: &[String]) -> String {
    format!(
        "unknown placeholder {{{}}}; known are {{WORKING_USER}}, {{PROJECT_ROOT}}, {{LOCAL_STORAGE}} and {{DEBUG}}",
        names.join("}, {")
    )
}

/// Where a relative file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Into {
    /// `LOCAL_STORAGE` of paths.yaml.
    LocalStorage,
    /// REPORTS of paths.yaml.
    Reports,
    /// The working directory.
    Here,
}

/// The file that is meant: absolute, with placeholders, or relative to a directory of paths.yaml. Without paths.yaml,
/// relative to the working directory.
pub(super) fn target(from: &From, file: &Path, into: Option<Into>) -> Result<PathBuf, u8> {
    let text = file.to_string_lossy();
    if into == Some(Into::Here) || (file.is_absolute() && !text.contains(['{', '}'])) {
        return Ok(file.to_owned());
    }
    let Some(paths) = paths_if_any(from)? else {
        return match into {
            Some(_) => Err(usage(
                "--into: there is no paths.yaml with `paths` beside plaid.conf",
            )),
            None if text.contains(['{', '}']) => {
                Err(usage("a placeholder needs paths.yaml beside plaid.conf"))
            }
            None => Ok(file.to_owned()),
        };
    };
    if text.contains(['{', '}']) {
        let expanded = paths.expand(&text).map_err(fail)?;
        if !expanded.unknown.is_empty() {
            return Err(usage(&unknown(&expanded.unknown)));
        }
        return Ok(expanded.text.into());
    }
    match into {
        Some(Into::Reports) => Ok(paths.reports().join(file)),
        _ => Ok(paths.local_storage().join(file)),
    }
}

/// Without a `plaid.conf` there are no paths: the connection may come from the environment.
fn paths_if_any(from: &From) -> Result<Option<Paths>, u8> {
    if from.conf.is_none()
        && matches!(
            plaidcloud::conf::locate(&from.start()),
            Err(LocateError::NotFound { .. })
        )
    {
        return Ok(None);
    }
    from.paths()
}

/// Call a method that responds with a file (as `analyze/query/download_csv` does), and write it whole or not at all.
///
/// A relative FILE is below `LOCAL_STORAGE` of paths.yaml, or REPORTS with `--into reports`; without paths.yaml it is below
/// the working directory. An existing file is replaced. The path is printed.
#[derive(Args, Debug)]
pub(super) struct Download {
    #[command(flatten)]
    method: Method,
    /// The file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Where a relative FILE is.
    #[arg(long, value_enum)]
    into: Option<Into>,
    /// Print the request and the file without secrets, and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    limit: Limit,
}

impl Download {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let client = from.client(self.limit.duration())?;
        let call = self.method.call(&client)?;
        let target = target(from, &self.output, self.into)?;
        if self.dry_run {
            let prepared = client.prepare(&call).map_err(fail)?;
            say(&format!("{prepared}\n\nto {}", target.display()));
            return Ok(());
        }
        let mut bar = Bar::new();
        let mut progress = |received, total| bar.show(received, total);
        wait(client.download(&call, &target, &mut progress))?;
        say(&target.display().to_string());
        Ok(())
    }
}

/// Progress on standard error, when that is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self(ProgressBar::with_draw_target(None, target))
    }

    pub(super) fn show(&mut self, received: u64, total: Option<u64>) {
        if received == 0 {
            let template = match total {
                Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
                None => "{spinner} {bytes}, {bytes_per_sec}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.0.set_style(style);
            }
            if let Some(total) = total {
                self.0.set_length(total);
            }
        }
        self.0.set_position(received);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Load a CSV file into an existing table, with `analyze/table/load_csv`.
///
/// The file is sent in one request, so it may have at most 64 MiB. A relative FILE is below `LOCAL_STORAGE` of paths.yaml.
/// Never tried against a live tenant.
#[derive(Args, Debug)]
pub(super) struct Upload {
    /// The CSV file, in UTF-8.
    file: PathBuf,
    /// The table's id.
    #[arg(long, value_name = "ID")]
    table: String,
    /// The project's id; the configured one without it.
    #[arg(long, value_name = "ID")]
    project: Option<String>,
    /// The columns as JSON, or @FILE, or -: a list of {"id": …, "dtype": …}. Without it, `analyze/table/table_meta` is asked.
    #[arg(long, value_name = "JSON")]
    meta: Option<String>,
    /// Add to the table's rows instead of replacing them.
    #[arg(long)]
    append: bool,
    /// The file's first line has values and not names.
    #[arg(long)]
    no_header: bool,
    /// What separates values.
    #[arg(long, value_name = "CHARACTER", default_value = ",")]
    delimiter: String,
    /// What means that a value is missing.
    #[arg(long, value_name = "TEXT", default_value = "")]
    null_as: String,
    /// Where a relative FILE is.
    #[arg(long, value_enum)]
    from: Option<Into>,
    /// Print the request without secrets, and send nothing. Needs --meta.
    #[arg(long, requires = "meta")]
    dry_run: bool,
    #[command(flatten)]
    limit: Limit,
}

impl Upload {
    pub(super) fn run(self, from: &From) -> Result<(), u8> {
        let path = target(from, &self.file, self.from)?;
        let unreadable =
            |error: &dyn std::fmt::Display| usage(&format!("{} cannot be read: {error}", path.display()));
        let name = path
            .to_str()
            .ok_or_else(|| unreadable(&"its name is not UTF-8"))?;
        let csv = read_bytes(name).map_err(|error| unreadable(&error))?;
        if csv.trim_ascii().is_empty() {
            return Err(usage(&format!("{} is empty", path.display())));
        }
        let client = from.client(self.limit.duration())?;
        let project = project_id(self.project.as_deref().unwrap_or_default(), &client)?;
        let meta: Value = if let Some(meta) = &self.meta {
            let text = json_argument(meta, "--meta")?;
            let meta = serde_json::from_str(&text).ok().filter(Value::is_array);
            meta.ok_or_else(|| usage("--meta must be a JSON list of columns"))?
        } else {
            let ids = json!({"project_id": project, "table_id": self.table});
            let ask = call("analyze/table/table_meta", &ids)?;
            json!(wait(client.call(&ask))?)
        };
        let load = call(
            "analyze/table/load_csv",
            &json!({
                "project_id": project, "table_id": self.table, "meta": meta,
                "csv_data": STANDARD.encode(&csv), "header": !self.no_header, "delimiter": self.delimiter,
                "null_as": self.null_as, "quote": "\"", "escape": "\"", "date_format": "YYYY-MM-DD\"T\"HH24:MI:SS",
                "source_columns": null, "append": self.append, "update_table_shape": true, "compressed": false,
            }),
        )?;
        if self.dry_run {
            return dry_run(client.prepare(&load));
        }
        let result = wait(client.call(&load))?;
        print(result.get().as_bytes())
    }
}

fn call(method: &str, params: &Value) -> Result<Call, u8> {
    let call = Call::new(method).and_then(|call| call.with_params(&params.to_string()));
    call.map_err(fail)
}
