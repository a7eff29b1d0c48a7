//! The numbers of a file of rule packs one by one, so that they can be kept and compared.

use super::RulesError;

/// One number of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The pack's version.
    pub version: String,
    /// Its name with its table, such as `strength.look_only_day_max_minor`.
    pub name: String,
    /// Its value as text, however the file writes it: `500_000` is `500000`.
    pub value: String,
}

/// All numbers of all packs, in the order of the file.
pub(super) fn of_file(text: &str) -> Result<Vec<Number>, RulesError> {
    let file: toml::Table = toml::from_str(text)?;
    let mut numbers = Vec::new();
    for pack in file.get("pack").and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_table) {
        let version = pack.get("version").and_then(toml::Value::as_str).unwrap_or_default();
        add(&mut numbers, version, "", pack);
    }
    Ok(numbers)
}

fn add(numbers: &mut Vec<Number>, version: &str, before: &str, table: &toml::Table) {
    for (key, value) in table {
        let name = format!("{before}{key}");
        match value {
            toml::Value::Table(inner) => add(numbers, version, &format!("{name}."), inner),
            value => numbers.push(Number { version: version.to_owned(), name, value: value.to_string() }),
        }
    }
}
