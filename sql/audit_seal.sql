-- Closes a seal of the audit log, or opens one: see audit_seal() in the migrations.
select number, entries, encode(hash, 'hex') from audit_seal();
