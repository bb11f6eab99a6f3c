# Statements in strings. Messages and help may begin with the same words, so each pattern
# asks for as much of the statement as any real one has.

function is_sql(text)
{
	text = " " tolower(text) " "
	gsub(/[ \t\n]+/, " ", text)
	return text ~ /^ select .* from / || text ~ /^ select [a-z_.]+ ?\(/ ||
	       text ~ /^ select ([0-9$'*(]|distinct |null|true|false)/ ||
	       text ~ / insert into [a-z_%"]/ || text ~ / update [^ ]+ (as [a-z_]+ )?set / ||
	       text ~ / delete from [a-z_%"]/ ||
	       text ~ /^ with (recursive )?[a-z_]+( ?\([^)]*\))? as (not |materialized )*\(/ ||
	       text ~ /^ (create|alter|drop) (or replace |temp |temporary |unlogged |unique )*(table|index|view|schema|database|function|trigger|type|sequence|extension|role|materialized) / ||
	       text ~ /^ truncate (table )?[a-z_]+ ?;? $/ || text ~ /^ lock table / ||
	       text ~ /^ (un)?listen [a-z_%"*]+ ?;? $/ || text ~ /^ notify [a-z_%"]+( ?,.*)? ?;? $/ ||
	       text ~ /^ set (local |session )?[a-z_.]+ ?(=|to ) ?[^ ]/ ||
	       text ~ /^ copy [a-z_(].* (from|to) (stdin|stdout)/ ||
	       text ~ /^ (analyze|vacuum|reindex|refresh materialized view|explain) [a-z_]+ / ||
	       (FILENAME ~ /^common\/store\// && text ~ /^ (begin|commit|rollback|end)( .*)?;? $/)
}

{
	code($0)
	count = split(text_done, texts, "\n")
	for (i = 1; i <= count; i++) {
		if (!is_sql(texts[i]))
			continue
		printf "%s:%d: SQL belongs into a file under sql/: \"%.60s\"\n", \
		       FILENAME, text_line, texts[i]
		complaints++
	}
}
