package dev.jformer.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The result of classifying a text or an image.
 *
 * @param input the text, or the name of the image's file
 * @param predictions the probabilities of all classes, in the model's order
 */
public record Classification(String input, List<Prediction> predictions)
    implements InputPrediction {
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

  @Override
  public String describe(int most) {
    return top(most).stream()
        .map(p -> String.format(Locale.ROOT, "%s %.1f %%", p.label(), 100 * p.probability()))
        .collect(Collectors.joining(", "));
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Double> each = new LinkedHashMap<>();
    predictions.forEach(p -> each.put(p.label(), p.probability()));
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("input", input);
    fields.put("probabilities", each);
    return fields;
  }
}
