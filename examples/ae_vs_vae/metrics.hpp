// The JSON of losses, histories and measures, for metrics.json and for checkpoints.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "analysis.hpp"
#include "outcome.hpp"
#include "training.hpp"

using Json = nlohmann::ordered_json;

Json to_json(const LossValues& values);
Json to_json(const History& history);
Json to_json(const Analysis& analysis);
Json to_json(const Outcome& outcome);

/// What to_json(History) gave; numbers come back as they were.
/// @throws nlohmann::json::exception if it is something else.
History history_from_json(const Json& json);
