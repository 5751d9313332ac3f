package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;

/**
 * Batches of rows that each hold several samples, as many as fit. Each sample is in one row of an
 * epoch: the longest first, each in the fullest row that has room for it. Which of equally long
 * samples stand together is drawn anew in each epoch, as is the order of the rows; the number of
 * rows is the same in all. A batch depends only on the seed and its number.
 */
public final class SamplePacking {
  private final List<EncodedSample> samples;
  private final int width;
  private final int batch;
  private final long seed;
  private final int rows;
  private long epoch = -1;
  private List<List<EncodedSample>> packed;

  /**
   * Creates the batches.
   *
   * @param samples of at least two tokens each
   * @param width the most tokens of a row; a longer sample has a row of its own
   * @param batch rows in a batch; the last of an epoch may have fewer
   * @throws DataException if there is no sample
   */
  public SamplePacking(List<EncodedSample> samples, int width, int batch, long seed) {
    if (samples.isEmpty()) {
      throw new DataException("there are no samples to train on: expected at least one");
    }
    this.samples = List.copyOf(samples);
    this.width = width;
    this.batch = batch;
    this.seed = seed;
    this.rows = pack(new Random(seed)).size();
  }

  /** The number of samples. */
  public int size() {
    return samples.size();
  }

  /** The number of rows in an epoch. */
  public int rows() {
    return rows;
  }

  /** Batches in an epoch. */
  public int perEpoch() {
    return (rows + batch - 1) / batch;
  }

  /** The rows of a batch, with their samples; batches count from 0. */
  public List<List<EncodedSample>> batch(long number) {
    long wanted = number / perEpoch();
    if (wanted != epoch) {
      packed = pack(new Random(seed * 0x9E3779B97F4A7C15L + wanted));
      epoch = wanted;
    }
    int from = (int) (number % perEpoch()) * batch;
    return packed.subList(from, Math.min(rows, from + batch));
  }

  private List<List<EncodedSample>> pack(Random random) {
    List<EncodedSample> order = new ArrayList<>(samples);
    Collections.shuffle(order, random);
    order.sort(Comparator.comparingInt((EncodedSample sample) -> -sample.ids().length));
    List<List<EncodedSample>> made = new ArrayList<>();
    // Rows by the room that is left in them; of rows with as much room the last is filled first.
    NavigableMap<Integer, List<List<EncodedSample>>> byRoom = new TreeMap<>();
    for (EncodedSample sample : order) {
      int needed = sample.ids().length - 1;
      Integer room = byRoom.ceilingKey(needed);
      List<EncodedSample> row;
      if (room == null) {
        row = new ArrayList<>();
        made.add(row);
        room = Math.max(width, needed);
      } else {
        List<List<EncodedSample>> rowsOfRoom = byRoom.get(room);
        row = rowsOfRoom.remove(rowsOfRoom.size() - 1);
        if (rowsOfRoom.isEmpty()) {
          byRoom.remove(room);
        }
      }
      row.add(sample);
      byRoom.computeIfAbsent(room - needed, any -> new ArrayList<>()).add(row);
    }
    Collections.shuffle(made, random);
    return made;
  }
}
