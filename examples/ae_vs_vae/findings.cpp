// One sentence or two for each finding, in the order of the story: reconstruction, sampling, why, and what helps. What was
// not measured is not mentioned.
#include <fmt/format.h>

#include <algorithm>

#include "pair.hpp"

namespace {

std::string value(const Estimate& estimate, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", estimate.value, digits, estimate.standard_error, digits);
}

/// A Frechet distance, to as many digits as it deserves.
std::string frechet(const ScoredSet& set) { return value(set.scores.frechet, set.scores.frechet.value < 10 ? 2 : 1); }

std::string percent(const Estimate& estimate) {
    return fmt::format("{:.1f} ± {:.1f} %", 100 * estimate.value, 100 * estimate.standard_error);
}

const char* smaller_or_larger(double left, double right) { return left < right ? "better" : "worse"; }

class Writer {
   public:
    explicit Writer(const Findings& findings) : findings_(findings) {}

    std::vector<std::string> write() {
        reconstruction();
        sampling();
        shapes();
        plane();
        mixtures();
        copies();
        encoders();
        dimensions();
        likelihood();
        betas();
        return std::move(sentences_);
    }

   private:
    template <class... Arguments>
    void say(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        sentences_.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
    }
    const Evaluation& main() const { return findings_.evaluations.front(); }
    const ScoredSet* find(const char* set, const char* model) const { return main().analysis.find(set, model); }

    void reconstruction() {
        const double ae = main().ae.reconstruction, vae = main().vae.reconstruction;
        const std::string floor = findings_.floor ? fmt::format(" ({:.1f} of it are the pixels' own entropy)", *findings_.floor) : "";
        say("Reconstruction: the AE gives back test images {} than the VAE, {:.1f} against {:.1f} nats per image{}. {}",
            smaller_or_larger(ae, vae), ae, vae, floor,
            ae < vae ? "That an autoencoder fails on new data is not what is seen." : "");
    }
    void sampling() {
        const ScoredSet *ae = find(from_prior, "AE"), *vae = find(from_prior, "VAE"), *real = find("real, held out", "");
        const std::string& problem = main().analysis.unscored;
        if (!problem.empty()) say("Sampling: images could not be scored. {}", problem);
        if (ae == nullptr || vae == nullptr || real == nullptr) return;
        say("Sampling: images decoded from z ~ N(0, I) are at Frechet distance {} for the AE and {} for the VAE, a factor of "
            "{:.1f}; real images are at {}.",
            frechet(*ae), frechet(*vae), ae->scores.frechet.value / vae->scores.frechet.value, frechet(*real));
        say("Precision, the share of images near a real one, is {:.2f} for the AE's: alone it says nothing. Coverage, the share "
            "of real images with one near, is {:.2f} against the VAE's {:.2f} (real: {:.2f}).",
            ae->scores.precision.value, ae->scores.coverage.value, vae->scores.coverage.value, real->scores.coverage.value);
    }
    void shapes() {
        const auto range = [](const CodeStatistics& codes) {
            const auto [low, high] = std::minmax_element(codes.standard_deviation.begin(), codes.standard_deviation.end());
            return fmt::format("{:.1f} to {:.1f}", *low, *high);
        };
        say("The reason: nothing shapes the AE's codes. Their standard deviations are {} where N(0, 1) has 1, and their Gaussian "
            "is {} nats from N(0, I). The VAE's: {}, and {} nats.",
            range(main().ae_codes), value(main().analysis.ae.aggregate.gaussian_kl, 1), range(main().vae_codes),
            value(main().analysis.vae.aggregate.gaussian_kl, 2));
    }
    void plane() {
        for (const Evaluation& each : findings_.evaluations) {
            const CodeShape &ae = each.analysis.ae, &vae = each.analysis.vae;
            if (!ae.within_reach || !vae.within_reach) continue;
            say("In the plane: the circle that holds 99 % of N(0, I) holds {} of the AE's codes and {} of the VAE's. Of the z drawn, "
                "{} and {} fall into holes between codes (of codes themselves it would be 1 %).",
                percent(*ae.within_reach), percent(*vae.within_reach), percent(*ae.hole_rate), percent(*vae.hole_rate));
        }
    }
    void mixtures() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        if (ae == nullptr || vae == nullptr) return;
        say("What helps: codes drawn from ten Gaussians that were fitted to the codes afterwards. Frechet distance falls to {} for "
            "the AE and {} for the VAE. So the AE's decoder is usable too; what it lacks is a density to draw from.",
            frechet(*ae), frechet(*vae));
    }
    void copies() {
        const ScoredSet *ae = find(from_mixture, "AE"), *vae = find(from_mixture, "VAE");
        if (ae == nullptr || vae == nullptr || !ae->memorisation || !vae->memorisation) return;
        say("Nor are these copies: their distance to the nearest training image is {} (AE) and {} (VAE) of that of held-out "
            "images.",
            value(ae->memorisation->ratio, 2), value(vae->memorisation->ratio, 2));
    }
    void encoders() {
        const auto& found = main().analysis.accuracies;
        if (!found) return;
        say("As encoders they hardly differ: a linear classifier is right about {} of test images from the AE's codes, {} from "
            "the VAE's means, {} from as many principal components.",
            percent(found->ae), percent(found->vae), percent(found->pca));
    }
    void dimensions() {
        say("Of the VAE's {} dimensions {} are active; together they hold {:.1f} nats of an image, its KL.",
            main().analysis.kl.size(), main().analysis.active_units, main().vae.kl);
    }
    void likelihood() {
        const auto& found = main().analysis.log_likelihoods;
        if (found.empty()) return;
        std::string list;
        for (const LogLikelihood& each : found) {
            list += fmt::format("{}{} (K = {})", list.empty() ? "" : ", ", value(each.value, 2), each.samples);
        }
        say("log p(x) of the VAE is at least {} nats per image: importance sampling tightens the ELBO, which is K = 1.", list);
    }
    void betas() {
        if (findings_.betas.empty()) return;
        const auto best = std::min_element(findings_.betas.begin(), findings_.betas.end(), [](const auto& a, const auto& b) {
            return a.test.at_beta_one() < b.test.at_beta_one();
        });
        say("Of the weights of the KL term that were tried, beta = {:g} has the largest ELBO, {:.1f} nats.", best->beta,
            -best->test.at_beta_one());
    }

    const Findings& findings_;
    std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> in_words(const Findings& findings) { return Writer(findings).write(); }
