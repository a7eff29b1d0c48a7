-- Which redo log belongs to the store's file, and how much of it the file has (adr/014). Empty on PostgreSQL, which has its own.
-- Conventions as in the first schema.

CREATE TABLE redo_log (
    id        INTEGER PRIMARY KEY CHECK (id = 1),                       -- there is one row; program
    lineage   BLOB NOT NULL CHECK (length(lineage) = 16),               -- the log's name, made anew at every start; program
    position  INTEGER NOT NULL                                          -- the last batch that the file has; program
) STRICT;
