// One name for each value, in the order in which metrics.json has them.
#include "metrics.hpp"

#include <nlohmann/json.hpp>

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

Json to_json(const ScoredSet& set) {
    Json json{{"set", set.set},
              {"model", set.model},
              {"frechet", to_json(set.scores.frechet)},
              {"precision", to_json(set.scores.precision)},
              {"recall", to_json(set.scores.recall)},
              {"density", to_json(set.scores.density)},
              {"coverage", to_json(set.scores.coverage)},
              {"squared_mmd", to_json(set.scores.squared_mmd)}};
    if (set.memorisation) json["nearest_training_image"] = to_json(set.memorisation->ratio);
    return json;
}

Json to_json(const CodeShape& shape) {
    Json json{{"mean", shape.aggregate.mean}, {"standard_deviation", shape.aggregate.standard_deviation}};
    if (shape.gaussian_kl) json["gaussian_kl"] = to_json(*shape.gaussian_kl);
    if (shape.within_reach) json["within_reach"] = to_json(*shape.within_reach);
    if (shape.hole_rate) json["hole_rate"] = to_json(*shape.hole_rate);
    return json;
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
        history.epochs.push_back({record.at("epoch").get<std::size_t>(), values_from_json(record.at("train")),
                                  values_from_json(record.at("test"))});
    }
    return history;
}

Json to_json(const Analysis& analysis) {
    Json json{{"scores", Json::array()}, {"kl", Json::array()}, {"left_out", Json::array()}};
    for (const LeftOut& each : analysis.left_out) json["left_out"].push_back({{"what", each.what}, {"why", each.why}});
    if (analysis.kl.empty()) return json;  // of models that diverged
    json["active_units"] = analysis.active_units;
    json["ae_codes"] = to_json(analysis.ae);
    json["vae_codes"] = to_json(analysis.vae);
    for (const ScoredSet& set : analysis.sets) json["scores"].push_back(to_json(set));
    for (const Estimate& each : analysis.kl) json["kl"].push_back(to_json(each));
    if (analysis.accuracies) {
        json["code_accuracy"] = {{"ae", to_json(analysis.accuracies->ae)},
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
