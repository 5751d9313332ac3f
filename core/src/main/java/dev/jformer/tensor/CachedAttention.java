package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;

/**
 * Softmax attention of one query for each head and sequence to keys and values in native memory, as
 * in decoding, without operators of the engine. Threads share out the heads of keys. Internal:
 * caches in {@code mixer.cache} use it.
 */
public final class CachedAttention {
  private CachedAttention() {}

  /**
   * Writes the vectors of a token.
   *
   * @param place float32 [B, G, C, d], contiguous
   * @param at index of the token, from 0 to C - 1
   * @param vectors [B, G, d]
   */
  public static void write(Tensor place, long at, float[] vectors) {
    int lists = Math.toIntExact(place.size(0) * place.size(1));
    int width = Math.toIntExact(place.size(3));
    FloatPointer memory = new FloatPointer(place.torch().data_ptr());
    for (int list = 0; list < lists; list++) {
      memory.getPointer((list * place.size(2) + at) * width).put(vectors, list * width, width);
    }
  }

  /**
   * Computes what queries take from the values.
   *
   * @param query [B, H, d]
   * @param keys float32 [B, G, C, d], contiguous, as is {@code values}; each is shared by H / G
   *     heads
   * @param length number of tokens of which there are keys and values, at least 1
   * @param heads H
   * @param factor of the products of queries and keys
   * @param result is set to [B, H, d]
   */
  public static void attend(
      float[] query,
      Tensor keys,
      Tensor values,
      long length,
      int heads,
      float factor,
      float[] result) {
    int lists = Math.toIntExact(keys.size(0) * keys.size(1));
    int sharing = Math.toIntExact(heads / keys.size(1));
    int width = Math.toIntExact(keys.size(3));
    int seen = Math.toIntExact(length);
    Flops.linear(2L * lists * sharing * width, seen);
    FloatPointer allKeys = new FloatPointer(keys.torch().data_ptr());
    FloatPointer allValues = new FloatPointer(values.torch().data_ptr());
    long each = keys.size(2) * width;
    int pieces = WorkerPool.pieces(2L * lists * seen * width, lists);
    WorkerPool.each(
        pieces,
        piece -> {
          int end = lists * (piece + 1) / pieces;
          for (int list = lists * piece / pieces; list < end; list++) {
            int start = list * sharing * width;
            RowMemory memory = RowMemory.ofThread();
            FloatPointer queries = memory.input(sharing * (width + seen));
            FloatPointer scores = queries.getPointer((long) sharing * width);
            FloatPointer taken = memory.output(sharing * width);
            float[] shares = memory.array(sharing * seen);
            queries.put(query, start, sharing * width);
            FloatPointer ownKeys = allKeys.getPointer(list * each);
            Blas.timesTransposed(factor, queries, ownKeys, scores, sharing, seen, width, seen);
            scores.get(shares, 0, sharing * seen);
            for (int head = 0; head < sharing; head++) {
              FloatMath.softmax(shares, head * seen, seen);
            }
            scores.put(shares, 0, sharing * seen);
            FloatPointer ownValues = allValues.getPointer(list * each);
            Blas.times(scores, ownValues, taken, sharing, width, seen);
            taken.get(result, start, sharing * width);
          }
        });
  }
}
