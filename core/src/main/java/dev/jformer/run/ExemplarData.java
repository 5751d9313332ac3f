package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.incontext.BurstySequences;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of sequences of items and their labels, which are made as they are needed; see
 * {@link BurstySequences}.
 *
 * @param classes the number of classes
 * @param labels the number of labels; each class has one of them
 * @param dimension the numbers of an item
 * @param noise how far items of a class differ
 * @param burstiness the probability that the class that is asked for is in the context, three times
 * @param exponent how the probability of a class falls with its rank; 0 for equal ones
 * @param heldOut number of sequences of each kind to evaluate on
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record ExemplarData(
    int classes,
    int labels,
    int dimension,
    double noise,
    double burstiness,
    double exponent,
    int heldOut)
    implements MadeDataConfig, ExemplarDataBuilder.With {
  /** Defaults: 2,048 equal classes with 32 labels, in sequences most of which are bursty. */
  public ExemplarData() {
    this(2048, 32, 32, 0.3, 0.9, 0, 2000);
  }

  /** Checks the values. */
  public ExemplarData {
    Checks.between("heldOut", heldOut, 1, 1_000_000);
    new BurstySequences(classes, labels, dimension, noise, burstiness, exponent, 0);
  }

  /** The sequences, whose classes a seed draws. */
  BurstySequences sequences(long seed) {
    return new BurstySequences(classes, labels, dimension, noise, burstiness, exponent, seed);
  }

  @Override
  public String type() {
    return "exemplars";
  }
}
