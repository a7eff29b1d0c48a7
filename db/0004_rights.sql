-- The right to know, of failed looks too. Conventions as in the first schema.

-- Of every use of a biometric: what came of it where nothing else says so.
ALTER TABLE biometric_queries ADD COLUMN outcome TEXT; -- stable code; NULL: that of the payment, or what the kind says; owner
