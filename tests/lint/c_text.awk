# Tells C apart from its comments and strings, line by line. To be loaded before a check:
#   awk -f c_text.awk -f CHECK.awk FILE...
# code(line) gives the line without comments and with empty strings. What stood in strings
# that follow one another, also over several lines, is joined in text_done once other code
# comes (it began on line text_line), else text_done is "".

function code(line,    out, at, c, two, length_)
{
	if (FNR == 1) {
		c_comment = 0
		c_text = ""
	}
	text_done = ""
	out = ""
	length_ = length(line)
	for (at = 1; at <= length_; at++) {
		c = substr(line, at, 1)
		two = substr(line, at, 2)
		if (c_comment) {
			if (two == "*/") {
				c_comment = 0
				at++
			}
		} else if (two == "/*") {
			c_comment = 1
			at++
		} else if (two == "//") {
			break
		} else if (c == "\"") {
			at = c_string(line, at + 1, length_)
			out = out "\"\""
		} else if (c == "'") {
			at = c_char(line, at + 1, length_)
			out = out "' '"
		} else {
			if (c != " " && c != "\t" && c_text != "") {
				text_done = text_done c_text "\n"
				text_line = c_text_line
				c_text = ""
			}
			out = out c
		}
	}
	return out
}

# Reads a string from behind its quote; the place of the closing one.
function c_string(line, at, length_,    c)
{
	if (c_text == "")
		c_text_line = FNR
	for (; at <= length_; at++) {
		c = substr(line, at, 1)
		if (c == "\"")
			break
		if (c == "\\") {
			c_text = c_text " "
			at++
			continue
		}
		c_text = c_text c
	}
	return at
}

function c_char(line, at, length_)
{
	for (; at <= length_ && substr(line, at, 1) != "'"; at++)
		if (substr(line, at, 1) == "\\")
			at++
	return at
}

function complain(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what
	complaints++
}

END {
	if (complaints > 0)
		exit 1
}
