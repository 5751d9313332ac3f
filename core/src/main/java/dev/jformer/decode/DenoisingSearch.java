package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.data.text.TextBatch;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Finds translations by iterated denoising (<a
 * href="https://arxiv.org/abs/2112.06749">Step-unrolled Denoising Autoencoders for Text
 * Generation</a>): from random tokens, the decoder predicts all tokens of a translation again and
 * again, until none changes or a number of passes is done. The likeliest lengths are tried side by
 * side; the translation with the highest mean log-probability of its tokens in the last pass is
 * taken.
 */
public final class DenoisingSearch {
  /**
   * Settings of the search.
   *
   * @param steps the most passes of the decoder
   * @param lengths how many lengths are tried
   * @param temperature of the tokens that are drawn in each pass but the last one, which takes the
   *     likeliest; 0 to take the likeliest always
   * @param seed of all random draws; a text's do not depend on the other texts
   */
  public record Settings(int steps, int lengths, double temperature, long seed) {
    /** Defaults: ten passes, three lengths, always the likeliest tokens. */
    public Settings() {
      this(10, 3, 0, 1);
    }

    /** As the defaults with other numbers of passes and of lengths. */
    public Settings(int steps, int lengths) {
      this(steps, lengths, 0, 1);
    }

    /** Checks the values. */
    public Settings {
      Checks.atLeast("steps", steps, 1);
      Checks.atLeast("lengths", lengths, 1);
      Checks.atLeast("temperature", temperature, 0);
    }
  }

  /**
   * A translation that was found.
   *
   * @param ids its tokens up to the first end, which is left out
   * @param score the mean log-probability of its tokens
   * @param passes how many passes of the decoder it took
   */
  public record Found(List<Integer> ids, double score, int passes) {}

  private final DenoisingTranslator model;
  private final Settings settings;

  /**
   * Creates a search.
   *
   * @param model not in training
   */
  public DenoisingSearch(DenoisingTranslator model, Settings settings) {
    this.model = model;
    this.settings = settings;
  }

  /** Drafts of the same source and of others, one for each length. */
  private static final class Drafts {
    final int[][] ids;
    final int[] source;
    final double[] scores;
    final int[] passes;
    final SplittableRandom[] random;

    Drafts(int count) {
      ids = new int[count][];
      source = new int[count];
      scores = new double[count];
      passes = new int[count];
      random = new SplittableRandom[count];
    }
  }

  /**
   * Translates.
   *
   * @param sources token ids of each text, its end included
   */
  public List<Found> search(List<int[]> sources) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      TextBatch source = TextBatch.of(sources, model.end());
      Tensor memory = model.encode(source.ids(), source.paddingMask());
      Drafts drafts = begin(sources, model.lengthLogits(memory, source.paddingMask()));
      int[] open = IntStream.range(0, drafts.ids.length).toArray();
      for (int step = 1; step <= settings.steps() && open.length > 0; step++) {
        open = improve(drafts, open, memory, source.paddingMask(), step);
      }
      return best(drafts, sources.size());
    }
  }

  private Drafts begin(List<int[]> sources, Tensor lengthLogits) {
    int tried = Math.min(settings.lengths(), (int) lengthLogits.size(1));
    Drafts drafts = new Drafts(sources.size() * tried);
    for (int text = 0; text < sources.size(); text++) {
      double[] logits = lengthLogits.select(0, text).toDoubles();
      int[] lengths =
          IntStream.range(0, logits.length)
              .boxed()
              .sorted(Comparator.comparingDouble(i -> -logits[i]))
              .limit(tried)
              .mapToInt(i -> i + 1)
              .toArray();
      for (int i = 0; i < tried; i++) {
        int at = text * tried + i;
        long own = settings.seed() * 31 + Arrays.hashCode(sources.get(text));
        SplittableRandom random = new SplittableRandom(own * 0x9E3779B97F4A7C15L + lengths[i]);
        drafts.random[at] = random;
        drafts.source[at] = text;
        drafts.ids[at] = random.ints(lengths[i], 0, model.words()).toArray();
      }
    }
    return drafts;
  }

  /** Makes one pass over the drafts that still change; returns those that may change again. */
  private int[] improve(Drafts drafts, int[] open, Tensor memory, Tensor sourceMask, int step) {
    boolean draws = settings.temperature() > 0 && step < settings.steps();
    List<Integer> changed = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      TextBatch batch =
          TextBatch.of(Arrays.stream(open).mapToObj(i -> drafts.ids[i]).toList(), model.end());
      long[] from = Arrays.stream(open).mapToLong(i -> drafts.source[i]).toArray();
      Tensor rows = Tensor.of(from, from.length);
      Tensor mask = sourceMask == null ? null : sourceMask.indexSelect(0, rows);
      Tensor logits =
          written(
              model.logits(memory.indexSelect(0, rows), mask, batch.ids(), batch.paddingMask()));
      Tensor logs = logits.to(DType.FLOAT32).logSoftmax(2);
      long[] likeliest = logs.argmax(2).flatten(0, 1).toLongs();
      double[] highest = logs.max(2, false).flatten(0, 1).toDoubles();
      long[] drawn = draws ? draws(drafts, open, logits) : null;
      int columns = (int) batch.ids().size(1);
      for (int row = 0; row < open.length; row++) {
        int[] ids = drafts.ids[open[row]];
        int[] next = new int[ids.length];
        double sum = 0;
        for (int t = 0; t < ids.length; t++) {
          int at = row * columns + t;
          next[t] = draws ? (int) drawn[at] : (int) likeliest[at];
          sum += highest[at];
        }
        drafts.scores[open[row]] = sum / ids.length;
        drafts.passes[open[row]] = step;
        drafts.ids[open[row]] = next;
        if (draws || !Arrays.equals(ids, next)) {
          changed.add(open[row]);
        }
      }
    }
    return changed.stream().mapToInt(i -> i).toArray();
  }

  /** Logits without those of ids that the tokenizer does not have, but for the end. */
  private Tensor written(Tensor logits) {
    long vocab = logits.size(2);
    boolean[] no = new boolean[(int) vocab];
    for (int id = model.words(); id < vocab; id++) {
      no[id] = id != model.end();
    }
    return logits.maskedFill(Tensor.of(no, vocab), Double.NEGATIVE_INFINITY);
  }

  /** Tokens drawn by inverting the distribution functions, [rows · T]. */
  private long[] draws(Drafts drafts, int[] open, Tensor logits) {
    int columns = (int) logits.size(1);
    double[] uniform = new double[open.length * columns];
    for (int row = 0; row < open.length; row++) {
      for (int t = 0; t < drafts.ids[open[row]].length; t++) {
        uniform[row * columns + t] = drafts.random[open[row]].nextDouble();
      }
    }
    Tensor sums = logits.to(DType.FLOAT64).mul(1 / settings.temperature()).softmax(2).cumsum(2);
    Tensor wanted = Tensor.of(uniform, open.length, columns, 1);
    Tensor below = sums.le(wanted).to(DType.INT64).sum(2, false);
    long last = logits.size(2) - 1;
    return Arrays.stream(below.flatten(0, 1).toLongs()).map(id -> Math.min(id, last)).toArray();
  }

  private List<Found> best(Drafts drafts, int texts) {
    Found[] best = new Found[texts];
    for (int i = 0; i < drafts.ids.length; i++) {
      Found known = best[drafts.source[i]];
      if (known == null || drafts.scores[i] > known.score()) {
        best[drafts.source[i]] = new Found(text(drafts.ids[i]), drafts.scores[i], drafts.passes[i]);
      }
    }
    return List.of(best);
  }

  private List<Integer> text(int[] ids) {
    return Arrays.stream(ids).takeWhile(id -> id != model.end()).boxed().toList();
  }
}
