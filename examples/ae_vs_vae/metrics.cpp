// One name for each value, in the order in which metrics.json has them; measures.hpp has those of measures of images.
#include "metrics.hpp"

#include <nlohmann/json.hpp>
#include <nn/data/file.hpp>
#include <span>
#include <string>

namespace {

LossValues values_from_json(const Json& json) {
    return {json.at("loss").get<double>(), json.at("reconstruction").get<double>(), json.at("kl").get<double>()};
}

/// Without a standard error where there is none.
Json to_json(const Estimate& estimate) {
    Json json{{"value", estimate.value}};
    if (estimate.standard_error) json["standard_error"] = *estimate.standard_error;
    return json;
}

Json with(Json json, const Estimates& estimates) {
    for (const auto& [key, estimate] : estimates) json[key] = to_json(estimate);
    return json;
}

Json to_json(const CodeShape& shape) {
    const AggregatePosterior& codes = shape.aggregate;
    return with({{"mean", codes.mean}, {"standard_deviation", codes.standard_deviation}}, shape.measures);
}

Json to_json(const Analysis& analysis) {
    Json json{{"scores", Json::array()}, {"kl", Json::array()}, {"left_out", Json::array()}};
    for (const LeftOut& each : analysis.left_out) json["left_out"].push_back({{"what", each.what}, {"why", each.why}});
    if (analysis.kl.empty()) return json;  // of models that diverged
    json["active_units"] = analysis.active_units;
    json["ae_codes"] = to_json(analysis.ae);
    json["vae_codes"] = to_json(analysis.vae);
    for (const ScoredSet& each : analysis.sets) {
        json["scores"].push_back(with({{"set", each.set}, {"model", each.model}}, each.scores));
    }
    for (const Estimate& each : analysis.kl) json["kl"].push_back(to_json(each));
    if (analysis.accuracies) {
        json[code_accuracy_measure.key] = {{"ae", to_json(analysis.accuracies->ae)},
                                           {"vae", to_json(analysis.accuracies->vae)},
                                           {"pca", to_json(analysis.accuracies->pca)},
                                           {"principal_components", analysis.accuracies->components},
                                           {"chance", analysis.accuracies->graded.chance}};
    }
    for (const LogLikelihood& each : analysis.log_likelihoods) {
        json["log_likelihood"].push_back({{"samples", each.samples}, {"images", each.images}, {"value", to_json(each.value)}});
    }
    return json;
}

Json to_json(const Outcome& outcome) {
    return {{"verdict", name_of(outcome.verdict)},
            {"training_loss_before", outcome.loss_before},
            {"training_loss_after", outcome.loss_after},
            {"reconstruction", outcome.reconstruction},
            {"mean_picture", outcome.mean_picture}};
}

Json metrics_of(const Options& options, const Findings& findings) {
    Json metrics{{"data", nn::printable(options.data)},
                 {"seed", options.seed},
                 {"epochs", options.epochs},
                 {"threads", options.threads},
                 {"backend", autograd::describe_backend()},
                 {"architecture", name_of(options.architecture)},
                 {"likelihood", name_of(options.likelihood)},
                 {"conditional", options.conditional},
                 {"binarise", options.binarise},
                 {"beta", options.beta},
                 {"findings", in_words(findings)}};
    if (findings.floor) metrics["pixel_entropy_floor"] = *findings.floor;
    if (!findings.feature_space.empty()) metrics["feature_space"] = findings.feature_space;
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        const TrainedPair& pair = findings.pairs[i];
        const Evaluation& found = findings.evaluations[i];
        Json& section = i == 0 ? metrics : metrics["plane"];
        section["latent"] = pair.plan.network.latent;
        section["ae"] = to_json(pair.ae_history);
        section["vae"] = to_json(pair.vae_history);
        section["ae"]["test"] = to_json(found.ae);
        section["vae"]["test"] = to_json(found.vae);
        section["vae"]["test_of_draws"] = {{"loss", to_json(found.vae_of_draws.loss)},
                                           {"reconstruction", to_json(found.vae_of_draws.reconstruction)},
                                           {"kl", to_json(found.vae_of_draws.kl)}};
        section["ae"]["outcome"] = to_json(found.ae_outcome);
        section["vae"]["outcome"] = to_json(found.vae_outcome);
        section["analysis"] = to_json(found.analysis);
    }
    for (const BetaRun& run : findings.betas) {
        metrics["betas"].push_back({{"beta", run.beta},
                                    {"test", to_json(run.test)},
                                    {"active_units", run.active_units},
                                    {"outcome", to_json(run.outcome)}});
    }
    return metrics;
}

}  // namespace

Json to_json(const LossValues& values) {
    return {{"loss", values.loss}, {"reconstruction", values.reconstruction}, {"kl", values.kl}};
}

Json to_json(const History& history) {
    Json epochs = Json::array();
    for (const EpochRecord& record : history.epochs) {
        epochs.push_back({{"epoch", record.epoch}, {"train", to_json(record.train)}, {"test", to_json(record.test)}});
    }
    return {{"steps", history.steps},
            {"ms_per_step", history.ms_per_step},
            {"best_epoch", history.best_epoch},
            {"stopped_early", history.stopped_early},
            {"history", epochs}};
}

History history_from_json(const Json& json) {
    History history;
    history.steps = json.at("steps").get<std::size_t>();
    history.ms_per_step = json.at("ms_per_step").get<double>();
    history.best_epoch = json.at("best_epoch").get<std::size_t>();
    history.stopped_early = json.at("stopped_early").get<bool>();
    for (const Json& record : json.at("history")) {
        history.epochs.push_back(
            {record.at("epoch").get<std::size_t>(), values_from_json(record.at("train")), values_from_json(record.at("test"))});
    }
    return history;
}

void write_metrics(const std::filesystem::path& path, const Findings& findings, const Options& options) {
    const std::string text = metrics_of(options, findings).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    nn::write_file_atomically(path, std::as_bytes(std::span(text)));
}
