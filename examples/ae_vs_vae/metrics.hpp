// The JSON of losses and histories, for metrics.json and for checkpoints.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "analysis.hpp"
#include "training.hpp"

using Json = nlohmann::ordered_json;

Json to_json(const LossValues& values);
Json to_json(const History& history);
Json to_json(const Analysis& analysis);

/// What to_json(History) gave; numbers come back as they were.
/// @throws nlohmann::json::exception if it is something else.
History history_from_json(const Json& json);
