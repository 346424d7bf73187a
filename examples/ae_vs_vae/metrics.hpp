// metrics.json, and the JSON of losses and histories that checkpoints and the page have too. Words are findings.hpp's,
// looks are the page's.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "findings.hpp"
#include "options.hpp"
#include "training.hpp"

using Json = nlohmann::ordered_json;

Json to_json(const LossValues& values);
Json to_json(const History& history);

/// What to_json(History) gave; numbers come back as they were.
/// @throws nlohmann::json::exception if it is something else.
History history_from_json(const Json& json);

/// Writes metrics.json.
/// @throws nn::FileError if it cannot be written.
void write_metrics(const std::filesystem::path& path, const Findings& findings, const Options& options);
