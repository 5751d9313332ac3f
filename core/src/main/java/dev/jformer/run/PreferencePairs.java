package dev.jformer.run;

import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.Sample;
import dev.jformer.model.CausalLm;
import dev.jformer.train.PreferenceOptimization;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Preferences with the likelihoods of their answers by the model before training. They are computed
 * when the first task is made, since that is before any update, and kept.
 */
final class PreferencePairs {
  private List<PreferenceOptimization.Pair> pairs;

  /**
   * The pairs in the order of the samples; null for those whose answers are cut off.
   *
   * @param answers the tokens of a sample's better answer and of the other one
   * @param most the most tokens of a prompt with an answer
   */
  List<PreferenceOptimization.Pair> of(
      CausalLm model,
      List<Sample> samples,
      Function<Sample, List<EncodedSample>> answers,
      int most,
      Progress progress) {
    if (pairs == null) {
      pairs = computed(model, samples, answers, most, progress);
    }
    return pairs;
  }

  private static List<PreferenceOptimization.Pair> computed(
      CausalLm model,
      List<Sample> samples,
      Function<Sample, List<EncodedSample>> answers,
      int most,
      Progress progress) {
    List<PreferenceOptimization.Pair> all = new ArrayList<>();
    int cut = 0;
    boolean training = model.isTraining();
    model.train(false);
    try (Progress.Work work = progress.begin("reading preferences", samples.size(), "pairs")) {
      for (Sample sample : samples) {
        List<EncodedSample> both = answers.apply(sample);
        EncodedSample chosen = both.get(0);
        EncodedSample rejected = both.get(1);
        if (chosen.ids().length > most || rejected.ids().length > most) {
          cut++; // an answer without its end would be judged by its length
          all.add(null);
        } else {
          all.add(
              new PreferenceOptimization.Pair(
                  chosen,
                  rejected,
                  PreferenceOptimization.logLikelihood(model, chosen),
                  PreferenceOptimization.logLikelihood(model, rejected)));
        }
        work.at(all.size());
      }
    } finally {
      model.train(training);
    }
    if (cut > 0) {
      progress.remark(
          "%,d of %,d pairs are longer than %,d tokens and are left out; data.length sets it"
              .formatted(cut, samples.size(), most));
    }
    return all;
  }
}
