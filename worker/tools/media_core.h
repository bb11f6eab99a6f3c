/* Pure: the media type of a file by the ending of its name. */
#ifndef TOOLS_MEDIA_CORE_H
#define TOOLS_MEDIA_CORE_H

const char *media_type(const char *name); /* "application/octet-stream" if unknown */

#endif
