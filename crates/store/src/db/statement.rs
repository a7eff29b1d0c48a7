//! What the text of a statement says.

/// The table that it writes; `None` if that is not plain to see.
pub(super) fn table(sql: &str) -> Option<&str> {
    let mut words = sql.split_whitespace();
    match words.next()? {
        "INSERT" | "DELETE" => words.nth(1),
        "UPDATE" => words.next(),
        _ => None,
    }
}

/// Whether it is an `UPDATE`.
pub(super) fn is_update(sql: &str) -> bool {
    sql.trim_start().starts_with("UPDATE")
}

/// How many of an update's parameters, the first ones, say which row.
pub(super) fn keys(sql: &str) -> usize {
    let condition = sql.rsplit_once("WHERE").map_or("", |(_, condition)| condition);
    let numbers = condition.split('?').skip(1).filter_map(|rest| {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_keys_are_read_from_the_text() {
        let update = "UPDATE t SET a = ?3, b = ?4\n WHERE c = ?1 AND d = ?2";
        assert_eq!((keys(update), table(update), is_update(update)), (2, Some("t"), true));
        let insert = "INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO NOTHING";
        assert_eq!((keys(insert), table(insert), is_update(insert)), (0, Some("t"), false));
        assert_eq!((table("DELETE FROM t WHERE a = ?1"), table("SELECT 1")), (Some("t"), None));
    }
}
