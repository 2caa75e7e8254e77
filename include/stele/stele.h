#pragma once

// Everything that an application needs; see docs/sdk.md.

#include "stele/activity.h"
#include "stele/client.h"
#include "stele/data_converter.h"
#include "stele/errors.h"
#include "stele/interceptor.h"
#include "stele/log.h"
#include "stele/messages.h"
#include "stele/outcome.h"
#include "stele/paged.h"
#include "stele/payload.h"
#include "stele/profile.h"
#include "stele/replayer.h"
#include "stele/search_attributes.h"
#include "stele/sync.h"
#include "stele/update.h"
#include "stele/visibility.h"
#include "stele/worker.h"
#include "stele/workflow.h"
