package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int DRAWS = 20_000;

  /** Tokens less probable than this may be kept or not. */
  private static final double NEVER = 1e-30;

  private static final BitSet NOTHING = new BitSet();

  /** What may be drawn, and how probably, by the logits processors of Hugging Face's. */
  @Test
  void restrictsAsTransformersDoes() throws IOException {
    JsonNode cases =
        new JsonMapper().readTree(getClass().getResourceAsStream("sampling.json")).path("cases");
    assertTrue(cases.size() > 250, cases.size() + " cases");
    List<String> wrong = new ArrayList<>();
    for (JsonNode c : cases) {
      try {
        compare(c);
      } catch (AssertionError e) {
        wrong.add(c + ": " + e.getMessage());
      }
    }
    assertEquals(List.of(), wrong);
  }

  private static void compare(JsonNode c) {
    int seed = c.path("seed").asInt();
    int vocabulary = c.path("vocabulary").asInt();
    BitSet seen = new BitSet();
    for (int i = 0; i < 12; i++) {
      seen.set(hashed(seed + 100, i) % vocabulary);
    }
    float[] logits = new float[vocabulary];
    for (int i = 0; i < vocabulary; i++) {
      logits[i] = (float) logit(seed, i, c.path("scale").asDouble(), c.path("steps").asInt());
    }
    for (int i = 0; i < c.path("masked").asInt(); i++) {
      logits[hashed(seed + 200, i) % vocabulary] = Float.NEGATIVE_INFINITY;
    }
    Sampling sampling =
        new Sampling(
            c.path("temperature").asDouble(),
            c.path("topK").asInt(),
            c.path("topP").asDouble(),
            c.path("minP").asDouble(),
            c.path("repetitionPenalty").asDouble(),
            1);
    if (sampling.isGreedy()) {
      assertEquals(c.path("best").asInt(), choose(sampling, logits, seen));
      return;
    }
    Candidates actual = new Sampler(sampling).candidates(logits, seen);
    double total = Arrays.stream(actual.weights()).sum();
    double[] probabilities = new double[vocabulary];
    for (int i = 0; i < actual.ids().length; i++) {
      probabilities[actual.ids()[i]] = actual.weights()[i] / total;
    }
    int[] kept = IntStream.range(0, vocabulary).filter(i -> probabilities[i] > NEVER).toArray();
    assertEquals(c.path("count").asInt(), kept.length, "how many can be drawn");
    assertEquals(c.path("sum").asLong(), Arrays.stream(kept).asLongStream().sum(), "their ids");
    for (int i = 0; i < c.path("ids").size(); i++) {
      int id = c.path("ids").path(i).asInt();
      double expected = c.path("probabilities").path(i).asDouble();
      assertEquals(expected, probabilities[id], 3e-6 * expected, "token " + id);
    }
  }

  /** As in tools/fixtures/sampling.py. */
  private static int hashed(int seed, int i) {
    int x = seed * 0x9E3779B9 + i * 0x85EBCA6B;
    x = (x ^ (x >>> 16)) * 0x7FEB352D;
    x = (x ^ (x >>> 15)) * 0x846CA68B;
    return (x ^ (x >>> 16)) >>> 8;
  }

  private static double logit(int seed, int i, double scale, int steps) {
    double u = hashed(seed, i) / (double) (1 << 24);
    double v = u * u * u - 0.25;
    if (steps > 0) {
      v = (int) ((v + 1) * steps) / (double) steps - 1;
    }
    return v * scale;
  }

  /** The nucleus by its definition, on distributions from flat to steep. */
  @Test
  void theNucleusIsTheFewestThatReachTheShare() {
    for (long seed = 0; seed < 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int size = 1 + random.nextInt(300);
      double spread = Math.pow(10, random.nextDouble(-2, 2));
      float[] logits = new float[size];
      for (int i = 0; i < size; i++) {
        logits[i] = (float) (spread * Math.log(random.nextDouble()));
      }
      double p = random.nextBoolean() ? random.nextDouble() : 1 - random.nextDouble() / 1000;
      double[] exact = softmax(logits, 1);
      Integer[] order = IntStream.range(0, size).boxed().toArray(Integer[]::new);
      Arrays.sort(order, (a, b) -> Double.compare(exact[b], exact[a]));
      int count = 0;
      for (double sum = 0; count < size && sum < p; count++) {
        sum += exact[order[count]];
      }
      int[] expected = Arrays.stream(order, 0, count).mapToInt(x -> x).sorted().toArray();
      Candidates actual = new Sampler(new Sampling(1, 0, p, 0, 1, 0)).candidates(logits, NOTHING);
      assertArrayEquals(expected, actual.ids(), "seed " + seed);
    }
  }

  /** Pearson's test at one in a million: the seed is fixed, so it holds always or never. */
  @Test
  void drawsInProportion() {
    float[] logits = {1.2f, -0.3f, 0.4f, 2.0f, -1.5f, 0.0f, 0.9f, -0.7f};
    double[] exact = softmax(logits, 0.8);
    int[] counts = new int[logits.length];
    Sampler sampler = new Sampler(new Sampling(0.8, 0, 1, 0, 1, 5));
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.next(logits.clone(), NOTHING, random)]++;
    }
    double chiSquare = 0;
    for (int i = 0; i < logits.length; i++) {
      double expected = DRAWS * exact[i];
      chiSquare += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    double oneInAMillionAtSevenDegrees = 40.5;
    assertTrue(chiSquare < oneInAMillionAtSevenDegrees, "chi-square " + chiSquare);
  }

  @Test
  void neverDrawsWhatCannotBe() {
    float none = Float.NEGATIVE_INFINITY;
    Sampler sampler = new Sampler(new Sampling(1, 0, 1, 0, 1, 5));
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 1000; i++) {
      int id = sampler.next(new float[] {none, 0, none, 0.1f, none}, NOTHING, random);
      assertTrue(id == 1 || id == 3, "token " + id);
    }
    // The largest number below 1 that a generator can give: still no token of weight 0.
    Candidates candidates =
        new Candidates(new int[] {1, 3, 5, 9}, new float[4], new double[] {0, 1, 1, 0});
    assertEquals(5, candidates.draw(() -> -1L));
    assertEquals(3, candidates.draw(() -> 0L));
  }

  @Test
  void takesTemperaturesAtTheEdgeOfTheNumbers() {
    float[] logits = {80, 100, -100, 100, Float.NEGATIVE_INFINITY, 0};
    for (double temperature : new double[] {Double.MIN_VALUE, 1e-45, 1e-37, 1e-3}) {
      assertArrayEquals(
          new double[] {0, 0.5, 0, 0.5, 0, 0}, probabilities(logits, temperature), 1e-9);
    }
    for (double temperature : new double[] {Double.MAX_VALUE, 1e38, 1e12}) {
      assertArrayEquals(
          new double[] {0.2, 0.2, 0.2, 0.2, 0, 0.2}, probabilities(logits, temperature), 1e-9);
    }
    assertArrayEquals(new double[] {1, 0}, probabilities(new float[] {-1e38f, -2e38f}, 1e-3), 0);
  }

  private static double[] probabilities(float[] logits, double temperature) {
    Sampler sampler = new Sampler(new Sampling(temperature, 0, 1, 0, 1, 0));
    double[] weights = sampler.candidates(logits.clone(), NOTHING).weights();
    double total = Arrays.stream(weights).sum();
    return Arrays.stream(weights).map(w -> w / total).toArray();
  }

  @Test
  void penalizesWhatOccurredOnceHoweverOften() {
    Sampling greedy = new Sampling(0, 0, 1, 0, 1.2, 0);
    BitSet seen = new IntList(0, 0, 2).seen();
    assertEquals(1, choose(greedy, new float[] {2.0f, 1.9f, -1.0f, -1.1f}, seen)); // 2 / 1.2 < 1.9
    assertEquals(0, choose(greedy, new float[] {2.0f, 1.6f, -1.0f, -1.1f}, seen)); // 2 / 1.2² < 1.6
    assertEquals(3, choose(greedy, new float[] {-9f, -9f, -1.0f, -1.1f}, seen)); // -1.2 < -1.1
  }

  @Test
  void streamsDependOnSeedPromptAndCopyOnly() {
    int[] a = {1, 2};
    int[] b = {2, 1};
    long alone = RandomStreams.of(7, List.of(a)).get(0).nextLong();
    List<Long> together =
        RandomStreams.of(7, List.of(b, a, a)).stream().map(SplittableRandom::nextLong).toList();
    assertEquals(alone, together.get(1));
    assertEquals(3, together.stream().distinct().count());
    assertNotEquals(alone, RandomStreams.of(8, List.of(a)).get(0).nextLong());
  }

  /** Neighbouring seeds and prompts must not draw alike: their first draws fill [0, 1) evenly. */
  @Test
  void streamsOfNeighboursAreIndependent() {
    int[] counts = new int[64];
    int count = 0;
    for (int seed = 0; seed < 64; seed++) {
      for (int id = 0; id < 64; id++) {
        int[] prompt = {id};
        for (SplittableRandom random : RandomStreams.of(seed, List.of(prompt, prompt))) {
          counts[(int) (random.nextDouble() * 64)]++;
          count++;
        }
      }
    }
    double expected = count / 64.0;
    double chiSquare =
        Arrays.stream(counts).mapToDouble(n -> (n - expected) * (n - expected) / expected).sum();
    double oneInAMillionAt63Degrees = 132;
    assertTrue(chiSquare < oneInAMillionAt63Degrees, "chi-square " + chiSquare);
  }

  @Test
  void saysWhichLogitIsNoNumber() {
    for (Sampling sampling : List.of(Sampling.GREEDY, new Sampling())) {
      refused("the logit of token 1 is NaN", sampling, 0, Float.NaN, 1);
      refused("the logit of token 0 is NaN", sampling, Float.NaN, 5, 1);
      refused("the largest logit is Infinity", sampling, 0, Float.POSITIVE_INFINITY, 1);
      float none = Float.NEGATIVE_INFINITY;
      refused("the largest logit is -Infinity", sampling, none, none, none);
    }
  }

  private static void refused(String message, Sampling sampling, float... logits) {
    Exception e =
        assertThrows(IllegalStateException.class, () -> choose(sampling, logits, NOTHING));
    assertTrue(e.getMessage().startsWith(message), e.getMessage());
  }

  private static int choose(Sampling sampling, float[] logits, BitSet seen) {
    return new Sampler(sampling).next(logits.clone(), seen, new SplittableRandom(1));
  }

  private static double[] softmax(float[] logits, double temperature) {
    double largest = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double[] exact = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      exact[i] = Math.exp((logits[i] - largest) / temperature);
    }
    double total = Arrays.stream(exact).sum();
    return Arrays.stream(exact).map(x -> x / total).toArray();
  }
}
