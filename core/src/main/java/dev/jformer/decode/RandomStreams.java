package dev.jformer.decode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random streams for sequences that are sampled together. A stream depends only on the seed, on the
 * prompt and on the number of equal prompts before it. So a prompt is continued in the same way
 * whatever else is in the batch, and copies of one prompt are continued differently.
 */
final class RandomStreams {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private RandomStreams() {}

  /** One stream for each prompt. */
  static List<SplittableRandom> of(long seed, List<int[]> prompts) {
    Map<List<Integer>, Integer> copies = new HashMap<>();
    List<SplittableRandom> streams = new ArrayList<>();
    for (int[] prompt : prompts) {
      int copy = copies.merge(Arrays.stream(prompt).boxed().toList(), 1, Integer::sum);
      long state = mix(seed);
      for (int id : prompt) {
        state = mix(state + GOLDEN * (id + 1L));
      }
      streams.add(new SplittableRandom(mix(state + GOLDEN * copy)));
    }
    return streams;
  }

  /** The finaliser of SplitMix64 (Steele, Lea and Flood, 2014). */
  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
