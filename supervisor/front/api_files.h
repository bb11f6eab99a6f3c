/* Files of a run over HTTP: its logs and its artifacts. */
#ifndef FRONT_API_FILES_H
#define FRONT_API_FILES_H

#include "front/route.h"

void api_logs(struct exchange *exchange);
void api_logs_download(struct exchange *exchange);
void api_artifacts(struct exchange *exchange);
void api_artifact_download(struct exchange *exchange);

#endif
