package dev.jformer.data.text;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Samples as the rows of a batch, each padded at its end. Where no token sees a later one, padding
 * changes nothing: no sample sees another, and no mask is needed.
 *
 * @param ids int64 [B, T], without the last token of the longest sample
 * @param positions int64 [M], the places in the flattened ids after which a token is learned
 * @param targets int64 [M], these tokens
 * @param rows number of targets of each row
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record SampleRows(Tensor ids, Tensor positions, Tensor targets, int[] rows) {
  /** Pads samples to one length; {@code padding} is the id of padding. */
  public static SampleRows of(List<EncodedSample> samples, int padding) {
    int longest = samples.stream().mapToInt(s -> s.ids().length).max().orElseThrow();
    int width = Math.max(1, longest - 1);
    long[] ids = new long[samples.size() * width];
    Arrays.fill(ids, padding);
    int count = samples.stream().mapToInt(EncodedSample::targets).sum();
    long[] positions = new long[count];
    long[] targets = new long[count];
    int[] rows = new int[samples.size()];
    int next = 0;
    for (int row = 0; row < samples.size(); row++) {
      EncodedSample sample = samples.get(row);
      for (int t = 0; t < sample.ids().length; t++) {
        if (t < width) {
          ids[row * width + t] = sample.ids()[t];
        }
        if (t > 0 && sample.learned()[t]) {
          positions[next] = (long) row * width + t - 1;
          targets[next++] = sample.ids()[t];
          rows[row]++;
        }
      }
    }
    return new SampleRows(
        Tensor.of(ids, samples.size(), width),
        Tensor.of(positions, count),
        Tensor.of(targets, count),
        rows);
  }

  /** Which tokens have a target after them: bool [B, T]. */
  public Tensor counted() {
    return Tensor.zeros(ids.elements())
        .scatter(0, positions, 1)
        .gt(0)
        .reshape(ids.size(0), ids.size(1));
  }
}
