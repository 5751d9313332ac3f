package dev.jformer.nas;

import dev.jformer.config.Part;

/**
 * A score that says before training how good a student will be: the higher, the better. A part like
 * any other: a record with {@code @AutoService(StudentScore.class)} adds one.
 */
public interface StudentScore extends Part {
  /**
   * Computes the score.
   *
   * @throws IllegalArgumentException if it does not suit the model
   */
  double of(Candidate candidate);
}
