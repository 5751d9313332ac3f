package dev.jformer.run;

import java.util.Map;

/** What a model predicts for one input: its class, or the entities in it. */
public sealed interface InputPrediction permits Classification, TaggedText {
  /** The text, or the name of the image's file. */
  String input();

  /**
   * Describes the prediction in a line.
   *
   * @param most the most classes to name
   */
  String describe(int most);

  /** The fields of the prediction for JSON. */
  Map<String, Object> fields();
}
