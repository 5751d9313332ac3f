package dev.jformer.studies.generation;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.ImageGrid;
import dev.jformer.decode.Generator;
import dev.jformer.decode.JacobiDecoding;
import dev.jformer.decode.JacobiDecoding.Start;
import dev.jformer.decode.Sampling;
import dev.jformer.decode.Speculation;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Speculative Jacobi decoding (<a href="https://arxiv.org/abs/2410.01699">Accelerating
 * Auto-regressive Text-to-Image Generation with Training-free Speculative Jacobi Decoding</a>): a
 * language model of digits, 64 pixels of 16 greys after the class, draws images with several
 * windows and ways to make fresh guesses, beside plain sampling.
 */
@AutoService(Study.class)
public final class SpeculativeJacobiStudy implements Study {
  private static final String PLAIN = "one pixel at a time";
  private static final String RANDOM = "window 16, random";
  private static final String LEFT = "window 16, left neighbour";
  private static final String ABOVE = "window 16, upper neighbour";
  private static final String HOT = "one pixel at a time, temperature 1.1";
  private static final int LEVELS = 16;
  private static final int SIDE = 8;
  private static final int CLASSES = 10;

  /** Pixels that stand before those whose distribution is tested, and the number of those. */
  private static final int GIVEN = 24;

  private static final int TESTED = 8;

  /** A z-score that one of 135 of equal distributions exceeds in 3 of 100 cases. */
  private static final double LARGE = 3.5;

  /**
   * What decoding gives.
   *
   * @param passes of the model for an image, in the mean
   * @param seconds for an image
   * @param kept share of the guesses that were kept
   * @param sameGreedy share of greedy images that are those of plain decoding
   */
  public record Decoded(double passes, double seconds, double kept, double sameGreedy) {}

  /** The largest z-score by which counts of pixels and pairs differ from plain sampling's. */
  public record Distance(double z) {}

  /** What a model gives, by the way of decoding. */
  public record Outcome(Map<String, Decoded> speeds, Map<String, Distance> distances) {}

  @Override
  public void run(ExperimentContext lab) {
    Path drawn = lab.files("images").resolve("digits.png");
    try (GreyImages images = images(lab)) {
      ImageTokens training = ImageTokens.of(images.training(), LEVELS);
      ImageTokens test = ImageTokens.of(images.test(), LEVELS);
      Trial<Outcome> trial =
          trial(lab, training, test)
              .examined(
                  Outcome.class,
                  (model, task, result) ->
                      new Outcome(decode(lab, model, drawn), distances(lab, model, test)));
      List<Outcome> runs = lab.learn("decoding", trial, lab.pick(1, 3, 3));
      report(
          lab, Measured.within(runs, Outcome::speeds), Measured.within(runs, Outcome::distances));
      if (Files.exists(drawn)) {
        lab.picture(
            DiffusionTrial.picture(
                "Digits by speculative Jacobi decoding, a class in each column", drawn));
      }
      lab.note(
          "Digits of 8 x 8 pixels, %d to learn from. The model: a decoder of 3 layers, width 64,"
              + " learned positions; sampling at temperature 1 from all tokens, one image after the"
              + " other. The distribution: after the class and %d pixels of a test image, %d pixels"
              + " are drawn %,d times; counts of each pixel and of each two neighbours are compared"
              + " with those of plain sampling by chi squared, as a z-score. Of 135 such scores of"
              + " equal distributions, 15 for each of three ways and seeds, all are below 3.5 in 97"
              + " of 100 cases.",
          training.rows().length, GIVEN, TESTED, draws(lab));
    }
  }

  private static GreyImages images(ExperimentContext lab) {
    return lab.scale() == Scale.SMOKE
        ? GreyImages.madeUp(SIDE, CLASSES, 0)
        : GreyImages.digits(label -> true);
  }

  private static int draws(ExperimentContext lab) {
    return lab.pick(40, 10_000, 10_000);
  }

  private static TaskTrial<CausalLm, Task> trial(
      ExperimentContext lab, ImageTokens training, ImageTokens test) {
    int width = lab.pick(16, 64, 256);
    CausalLm.Config config =
        Small.language(lab.pick(1, 3, 6), width, SIDE * SIDE, new SoftmaxAttention.Config(4, 0))
            .with(c -> c.vocab(LEVELS + CLASSES));
    return new TaskTrial<>(
        config::build,
        Small.training(lab.pick(2, 1500, 20_000), lab.pick(2, 32, 64), 1),
        (model, session) -> training.task(model, test, lab.pick(2, 32, 64), session.seed()));
  }

  // ---- Speed

  private static Map<String, JacobiDecoding.Settings> ways() {
    Map<String, JacobiDecoding.Settings> ways = new LinkedHashMap<>();
    ways.put(PLAIN, null);
    for (int window : new int[] {4, 8, 16, 32}) {
      ways.put("window " + window + ", random", new JacobiDecoding.Settings(window));
    }
    ways.put(LEFT, new JacobiDecoding.Settings(16, Start.PREVIOUS, SIDE));
    ways.put(ABOVE, new JacobiDecoding.Settings(16, Start.ABOVE, SIDE));
    return ways;
  }

  private static Generator generator(CausalLm model, JacobiDecoding.Settings settings) {
    return settings == null ? new Generator(model) : new Generator(model, settings);
  }

  private static Map<String, Decoded> decode(ExperimentContext lab, CausalLm model, Path drawn) {
    int count = lab.pick(10, 100, 500);
    int classes = lab.pick(1, CLASSES, CLASSES);
    Map<String, Decoded> all = new LinkedHashMap<>();
    List<List<Integer>> greedy = new ArrayList<>();
    for (Map.Entry<String, JacobiDecoding.Settings> way : ways().entrySet()) {
      int same = 0;
      for (int label = 0; label < classes; label++) {
        int[] prompt = {LEVELS + label};
        Generator.Request request =
            new Generator.Request(SIDE * SIDE, new Sampling(0, 0, 1, 0, 1, 1));
        List<Integer> ids =
            generator(model, way.getValue()).generate(List.of(prompt), request).get(0).ids();
        if (way.getValue() == null) {
          greedy.add(ids);
        }
        same += greedy.get(label).equals(ids) ? 1 : 0;
      }
      Generator generator = generator(model, way.getValue());
      List<List<Integer>> made = new ArrayList<>();
      long start = System.nanoTime();
      for (int i = 0; i < count; i++) { // one after the other, as an image is waited for
        int[] prompt = {LEVELS + i % CLASSES};
        Generator.Request request =
            new Generator.Request(SIDE * SIDE, new Sampling(1, 0, 1, 0, 1, i));
        made.add(generator.generate(List.of(prompt), request).get(0).ids());
      }
      double seconds = (System.nanoTime() - start) / 1e9 / count;
      Speculation.Tally tally = generator.tally();
      double passes = tally == null ? SIDE * SIDE : (double) tally.rounds() / count;
      double kept = tally == null ? Double.NaN : tally.share();
      all.put(way.getKey(), new Decoded(passes, seconds, kept, same / (double) classes));
      if (way.getKey().equals(RANDOM)) {
        draw(made, drawn);
      }
    }
    return all;
  }

  private static void draw(List<List<Integer>> made, Path file) {
    int count = made.size() / CLASSES * CLASSES;
    float[] pixels = new float[count * SIDE * SIDE];
    for (int i = 0; i < pixels.length; i++) {
      int id = made.get(i / (SIDE * SIDE)).get(i % (SIDE * SIDE));
      pixels[i] = Math.min(id, LEVELS - 1) / (LEVELS - 1f);
    }
    try (Scope scope = Scope.open()) {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.write(file, ImageGrid.png(Tensor.of(pixels, count, 1, SIDE, SIDE), CLASSES, 3));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  // ---- Distribution

  private static Map<String, Distance> distances(
      ExperimentContext lab, CausalLm model, ImageTokens test) {
    int[] prompt = test.prompt(0, 1 + GIVEN);
    int draws = draws(lab);
    List<List<Integer>> plain = pixels(new Generator(model), prompt, draws, 1, 1);
    Map<String, Distance> all = new LinkedHashMap<>();
    all.put(PLAIN, distance(plain, pixels(new Generator(model), prompt, draws, 1, 2)));
    all.put(HOT, distance(plain, pixels(new Generator(model), prompt, draws, 1.1, 2)));
    for (String way : List.of(RANDOM, LEFT, ABOVE)) {
      all.put(way, distance(plain, pixels(generator(model, ways().get(way)), prompt, draws, 1, 2)));
    }
    return all;
  }

  private static List<List<Integer>> pixels(
      Generator generator, int[] prompt, int draws, double temperature, long seed) {
    List<List<Integer>> all = new ArrayList<>();
    int together = 500;
    for (int from = 0; from < draws; from += together) {
      Generator.Request request =
          new Generator.Request(
              TESTED, new Sampling(temperature, 0, 1, 0, 1, seed * 1_000_003 + from));
      int count = Math.min(together, draws - from);
      generator
          .generate(Collections.nCopies(count, prompt), request)
          .forEach(made -> all.add(made.ids()));
    }
    return all;
  }

  private static Distance distance(List<List<Integer>> a, List<List<Integer>> b) {
    double most = Double.NEGATIVE_INFINITY;
    int values = LEVELS + CLASSES;
    for (int place = 0; place < TESTED; place++) {
      most = Math.max(most, z(counts(a, place, 1, values), counts(b, place, 1, values)));
      if (place + 1 < TESTED) {
        most = Math.max(most, z(counts(a, place, 2, values), counts(b, place, 2, values)));
      }
    }
    return new Distance(most);
  }

  private static double[] counts(List<List<Integer>> all, int place, int pixels, int values) {
    double[] counts = new double[pixels == 1 ? values : values * values];
    for (List<Integer> ids : all) {
      int at = ids.get(place);
      counts[pixels == 1 ? at : at * values + ids.get(place + 1)]++;
    }
    return counts;
  }

  /**
   * Chi squared of two samples of equal size as a z-score (Wilson and Hilferty's cube root); values
   * that are rare in both count together.
   */
  private static double z(double[] a, double[] b) {
    double statistic = 0;
    int degrees = -1;
    double restA = 0;
    double restB = 0;
    for (int i = 0; i < a.length; i++) {
      if (a[i] + b[i] < 20) {
        restA += a[i];
        restB += b[i];
      } else {
        statistic += Math.pow(a[i] - b[i], 2) / (a[i] + b[i]);
        degrees++;
      }
    }
    if (restA + restB >= 20) {
      statistic += Math.pow(restA - restB, 2) / (restA + restB);
      degrees++;
    }
    if (degrees < 1) {
      return 0;
    }
    double share = 2.0 / (9 * degrees);
    return (Math.cbrt(statistic / degrees) - (1 - share)) / Math.sqrt(share);
  }

  // ---- Report

  private static double largest(Measured<Distance> distances, String way) {
    return distances.arm(way).values(Distance::z).stream().max(Double::compare).orElseThrow();
  }

  private static void report(
      ExperimentContext lab, Measured<Decoded> speeds, Measured<Distance> distances) {
    lab.claim(
        "Images are distributed as by plain sampling, whatever fresh guesses are made of",
        "does not change the distribution (section 4)",
        HOT,
        Check.all(
            Check.atMost("largest z of 15, random", largest(distances, RANDOM), LARGE),
            Check.atMost("left neighbour", largest(distances, LEFT), LARGE),
            Check.atMost("upper neighbour", largest(distances, ABOVE), LARGE)),
        Check.sentence(
            "Largest of the seeds. Plain sampling with another seed: %s; at temperature 1.1: %s.",
            distances.of(PLAIN, Distance::z), distances.of(HOT, Distance::z)));
    lab.claim(
        "With a window of 16 an image takes 1.8 times fewer passes",
        "about 2 times fewer (abstract)",
        PLAIN,
        Check.atLeast("times fewer passes", speeds.ratio(PLAIN, RANDOM, Decoded::passes), 1.8));
    lab.claim(
        "With a window of 16 an image is ready sooner on this machine",
        "",
        PLAIN,
        Check.above("times as fast", speeds.ratio(PLAIN, RANDOM, Decoded::seconds), 1));
    lab.claim(
        "Copies of neighbours are better fresh guesses than random greys",
        "initialisation by neighbours helps (section 4.3)",
        RANDOM,
        Check.all(
            speeds.below("passes, left neighbour", LEFT, RANDOM, Decoded::passes),
            speeds.below("upper neighbour", ABOVE, RANDOM, Decoded::passes)));
    lab.claim(
        "Greedy images are those of plain decoding",
        "",
        PLAIN,
        Check.atLeast(
            "share that are equal",
            speeds.without(PLAIN).all(Decoded::sameGreedy).min().orElseThrow(),
            1));
    lab.table(
        speeds.table(
            "Decoding of an image, 64 pixels",
            "decoding",
            column("passes", Decoded::passes),
            column("times fewer", d -> SIDE * SIDE / d.passes()),
            column("ms", d -> 1e3 * d.seconds()),
            column("guesses kept (%)", d -> 100 * d.kept()),
            column("same greedy images (%)", d -> 100 * d.sameGreedy())));
    lab.table(
        distances.table(
            "Distance from plain sampling", "decoding", column("largest z of 15", Distance::z)));
  }
}
