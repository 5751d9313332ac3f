package dev.jformer.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The result of classifying a text or an image.
 *
 * @param input the text, or the name of the image's file
 * @param predictions the probabilities of all classes, in the model's order
 */
public record Classification(String input, List<Prediction> predictions) {
  static Classification of(String input, ClassNames names, double[] probabilities) {
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < probabilities.length; i++) {
      predictions.add(new Prediction(names.classes().get(i), probabilities[i]));
    }
    return new Classification(input, List.copyOf(predictions));
  }

  /** The most probable class. */
  public Prediction best() {
    return top(1).get(0);
  }

  /** The most probable classes, at most {@code count}. */
  public List<Prediction> top(int count) {
    return predictions.stream()
        .sorted(Comparator.comparingDouble(prediction -> -prediction.probability()))
        .limit(count)
        .toList();
  }
}
