package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.data.text.TextBatch;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Beam search with an {@link EncoderDecoder}: it keeps the K most probable texts and extends them
 * by their most probable next tokens. A text that ends gives up its place in the beam, so the
 * search is over when K texts have ended; with a beam of 1 it is greedy decoding. Ended texts are
 * compared by their log probability over the length penalty ((5 + n) / 6)^α of <a
 * href="https://arxiv.org/abs/1609.08144">Google's Neural Machine Translation System: Bridging the
 * Gap between Human and Machine Translation</a>, where n counts the end too. The search stops early
 * when no open text can become better than the best ended one.
 *
 * <p>Sources are searched in one batch and leave it when they are done; each result is what it
 * would be alone, up to rounding.
 */
public final class BeamSearch {
  private static final Logger LOG = LoggerFactory.getLogger(BeamSearch.class);

  private final EncoderDecoder model;
  private final Settings settings;
  private final Guide guide;

  /**
   * Settings of the search.
   *
   * @param beam K, the number of texts kept; 1 for greedy decoding
   * @param lengthPenalty α, 0 for none: the larger, the longer the texts
   * @param ratio a text has at most this times the source's tokens plus {@code extra}, and at most
   *     the model's length
   * @param extra see {@code ratio}
   * @param cached whether keys and values of earlier tokens are cached; if not, everything is
   *     computed again for each token
   */
  public record Settings(int beam, double lengthPenalty, double ratio, int extra, boolean cached) {
    /**
     * Settings with a penalty of 0.6 and texts of at most 1.5 times the source's length plus 10.
     */
    public Settings(int beam) {
      this(beam, 0.6, 1.5, 10, true);
    }

    /** Checks the values. */
    public Settings {
      Checks.atLeast("beam", beam, 1);
      if (!(lengthPenalty >= 0) || Double.isInfinite(lengthPenalty)) {
        throw new IllegalArgumentException(
            "lengthPenalty is " + lengthPenalty + ": expected at least 0");
      }
      if (!(ratio >= 0) || extra < 0 || (ratio == 0 && extra == 0)) {
        throw new IllegalArgumentException(
            "ratio is "
                + ratio
                + " and extra is "
                + extra
                + ": expected at least 0 each, and room for at least one token");
      }
    }

    private double penalty(int tokens) {
      return Math.pow((5.0 + tokens) / 6, lengthPenalty);
    }

    private int longest(int source, int length) {
      return (int) Math.max(1, Math.min(length, Math.floor(ratio * source) + extra));
    }
  }

  /**
   * A text found by the search.
   *
   * @param ids its tokens, without the end
   * @param ended whether the text ended; if not, it reached the longest length
   * @param logProbability of the tokens, including the end if there is one, in nats
   * @param score the log probability, with that of the attribute if one is looked for, over the
   *     length penalty
   */
  public record Hypothesis(List<Integer> ids, boolean ended, double logProbability, double score) {}

  /**
   * What a search looks for besides probable texts: the log probability that a text will have an
   * attribute, given how it begins. It is added to the text's own log probability, so that those
   * texts are kept which are probable given the attribute.
   */
  @FunctionalInterface
  public interface Guide {
    /**
     * Computes the log probability of the attribute after each possible next token.
     *
     * @param hidden [N, D], the decoder's final hidden state after the tokens so far
     * @return [N, V], at most 0
     */
    Tensor logProbabilities(Tensor hidden);
  }

  /** Creates a search with a model, which must not be in training. */
  public BeamSearch(EncoderDecoder model, Settings settings) {
    this(model, settings, null);
  }

  /**
   * Creates a search for probable texts with an attribute.
   *
   * @param model must not be in training
   * @param guide the attribute; null for none
   */
  public BeamSearch(EncoderDecoder model, Settings settings, Guide guide) {
    this.model = model;
    this.settings = settings;
    this.guide = guide;
  }

  /**
   * Finds the best text for each source, all in one batch.
   *
   * @param sources ids, at least one each, with the end as in training
   * @throws IllegalArgumentException if a source is empty or longer than the model can read
   * @throws IllegalStateException if the model is in training
   */
  public List<Hypothesis> search(List<int[]> sources) {
    if (model.isTraining()) {
      throw new IllegalStateException(
          "the model is in training, with dropout active: call train(false) first");
    }
    if (sources.isEmpty()) {
      return List.of();
    }
    List<Sentence> sentences = new ArrayList<>();
    for (int[] source : sources) {
      if (source.length == 0) {
        throw new IllegalArgumentException(
            "a source is empty: expected at least the token that ends it");
      }
      sentences.add(new Sentence(settings.longest(source.length, model.config().length())));
    }
    int capacity = sentences.stream().mapToInt(s -> s.longest).max().orElseThrow();
    try (Mode mode = Autograd.inference();
        Scope scope = Scope.open()) {
      TextBatch batch = TextBatch.of(sources, model.end());
      try (Steps steps = steps(batch, capacity)) {
        search(steps, new ArrayList<>(sentences));
      }
    }
    return sentences.stream().map(s -> s.best).toList();
  }

  /** Searches until all are done; the batch holds K rows for each unfinished source. */
  private void search(Steps steps, List<Sentence> open) {
    while (true) {
      try (Scope scope = Scope.open()) {
        Extension[] extensions = extensions(steps, open);
        long[] rows = new long[open.size() * settings.beam];
        List<Sentence> left = new ArrayList<>();
        long[] places = new long[open.size()];
        for (int b = 0; b < open.size(); b++) {
          Sentence sentence = open.get(b);
          int[] parents = sentence.extend(extensions[b]);
          if (sentence.isOpen()) {
            places[left.size()] = b;
            for (int k = 0; k < settings.beam; k++) {
              rows[left.size() * settings.beam + k] = (long) b * settings.beam + parents[k];
            }
            left.add(sentence);
          }
        }
        if (left.isEmpty()) {
          return;
        }
        boolean fewer = left.size() < open.size();
        steps.select(
            Arrays.copyOf(rows, left.size() * settings.beam),
            fewer ? Arrays.copyOf(places, left.size()) : null);
        open.clear();
        open.addAll(left);
      }
    }
  }

  /**
   * The most probable continuations of a sentence's rows, best first.
   *
   * @param logProbabilities of text and continuation together; -∞ where there is none
   * @param values the same with the attribute's
   * @param rows the rows continued, from 0 to K - 1
   * @param ids the tokens added
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared; lives for one step
  private record Extension(double[] logProbabilities, double[] values, int[] rows, int[] ids) {}

  private Extension[] extensions(Steps steps, List<Sentence> open) {
    int beam = settings.beam;
    long[] last = new long[open.size() * beam];
    double[] known = new double[last.length];
    for (int b = 0; b < open.size(); b++) {
      for (int k = 0; k < beam; k++) {
        last[b * beam + k] = open.get(b).last(k);
        known[b * beam + k] = open.get(b).logProbability(k);
      }
    }
    Tensor hidden = steps.next(last);
    Tensor scores = model.output(hidden).to(DType.FLOAT32).logSoftmax(-1);
    long vocab = scores.size(1);
    Tensor all = scores.add(Tensor.of(known, last.length, 1).to(DType.FLOAT32));
    Tensor wanted = guide == null ? all : all.add(guide.logProbabilities(hidden));
    Tensor.Ranked best = wanted.reshape(open.size(), beam * vocab).topK(beam, -1);
    double[] values = best.values().toDoubles();
    double[] logProbabilities =
        guide == null
            ? values
            : all.reshape(open.size(), beam * vocab).gather(1, best.indices()).toDoubles();
    long[] indices = best.indices().toLongs();
    Extension[] extensions = new Extension[open.size()];
    for (int b = 0; b < open.size(); b++) {
      int[] rows = new int[beam];
      int[] ids = new int[beam];
      for (int k = 0; k < beam; k++) {
        rows[k] = (int) (indices[b * beam + k] / vocab);
        ids[k] = (int) (indices[b * beam + k] % vocab);
      }
      extensions[b] =
          new Extension(
              Arrays.copyOfRange(logProbabilities, b * beam, (b + 1) * beam),
              Arrays.copyOfRange(values, b * beam, (b + 1) * beam),
              rows,
              ids);
    }
    return extensions;
  }

  /** An unfinished text; its value is its log probability with the attribute's. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Text(int[] ids, double logProbability, double value) {
    Text with(int id, double newLogProbability, double newValue) {
      int[] longer = Arrays.copyOf(ids, ids.length + 1);
      longer[ids.length] = id;
      return new Text(longer, newLogProbability, newValue);
    }
  }

  /** The texts for one source. */
  private final class Sentence {
    private final int longest;
    private final List<Hypothesis> ended = new ArrayList<>();
    private List<Text> open = List.of(new Text(new int[0], 0, 0));
    private Hypothesis best;

    Sentence(int longest) {
      this.longest = longest;
    }

    boolean isOpen() {
      return best == null;
    }

    /** The token that row k reads next; rows without a text read any token. */
    int last(int k) {
      int[] ids = k < open.size() ? open.get(k).ids : new int[0];
      return ids.length == 0 ? model.end() : ids[ids.length - 1];
    }

    double logProbability(int k) {
      return k < open.size() ? open.get(k).logProbability : Double.NEGATIVE_INFINITY;
    }

    /** Extends the texts; returns for each of the K rows the row that it continues. */
    int[] extend(Extension extension) {
      int room = settings.beam - ended.size();
      int[] parents = new int[settings.beam];
      List<Text> next = new ArrayList<>();
      for (int i = 0; i < room; i++) {
        double logProbability = extension.logProbabilities[i];
        double value = extension.values[i];
        if (Double.isNaN(value)) {
          throw new LogitsException("a logit is NaN: expected a number");
        }
        if (value == Double.NEGATIVE_INFINITY) {
          break; // fewer texts than the beam is wide
        }
        Text text = open.get(extension.rows[i]);
        if (extension.ids[i] == model.end()) {
          ended.add(hypothesis(text, true, logProbability, value));
        } else {
          parents[next.size()] = extension.rows[i];
          next.add(text.with(extension.ids[i], logProbability, value));
        }
      }
      open = next;
      if (open.isEmpty() || ended.size() == settings.beam || isDecided()) {
        finish();
      } else if (open.get(0).ids.length == longest) {
        open.forEach(text -> ended.add(hypothesis(text, false, text.logProbability, text.value)));
        finish();
      }
      return parents;
    }

    private Hypothesis hypothesis(Text text, boolean end, double logProbability, double value) {
      int tokens = text.ids.length + (end ? 1 : 0);
      return new Hypothesis(
          Arrays.stream(text.ids).boxed().toList(),
          end,
          logProbability,
          value / settings.penalty(tokens));
    }

    /**
     * Whether no open text can win: log probabilities only fall, an attribute's adds nothing, and
     * penalties are bounded.
     */
    private boolean isDecided() {
      double most =
          open.stream().mapToDouble(Text::logProbability).max().orElseThrow()
              / settings.penalty(longest);
      return ended.stream().anyMatch(hypothesis -> hypothesis.score >= most);
    }

    private void finish() {
      best = ended.stream().max(Comparator.comparingDouble(Hypothesis::score)).orElseThrow();
    }
  }

  /** Runs the model on the rows' next tokens, with or without a cache. */
  private interface Steps extends AutoCloseable {
    /** Reads the next token of each row; returns the decoder's final hidden state [B K, D]. */
    Tensor next(long[] ids);

    /** Makes row i what row {@code rows[i]} was; keeps only these sources, null for all. */
    void select(long[] rows, long[] sources);

    @Override
    void close();
  }

  private Steps steps(TextBatch batch, int capacity) {
    if (settings.cached) {
      EncoderDecoder.Decoding decoding = null;
      try {
        decoding = model.decode(batch.ids(), batch.paddingMask(), settings.beam, capacity);
        // No rows have changed yet: this only tests whether the mixers support it.
        decoding.select(Tensor.arange(0, batch.ids().size(0) * settings.beam), null);
        return new Cached(decoding);
      } catch (UnsupportedOperationException e) {
        LOG.info("{}: everything is computed again for each token", e.getMessage());
        if (decoding != null) {
          decoding.close();
        }
      }
    }
    return new Uncached(batch);
  }

  private record Cached(EncoderDecoder.Decoding decoding) implements Steps {
    @Override
    public Tensor next(long[] ids) {
      return decoding.hidden(Tensor.of(ids));
    }

    @Override
    public void select(long[] rows, long[] sources) {
      decoding.select(Tensor.of(rows), sources == null ? null : Tensor.of(sources));
    }

    @Override
    public void close() {
      decoding.close();
    }
  }

  /** Computes everything again for each token, except for the encoder's output. */
  private final class Uncached implements Steps {
    private Tensor memory;
    private Tensor paddingMask;
    private long[][] texts;

    Uncached(TextBatch batch) {
      memory =
          model.encode(batch.ids(), batch.paddingMask()).repeatInterleave(settings.beam, 0).keep();
      paddingMask =
          batch.paddingMask() == null
              ? null
              : batch.paddingMask().repeatInterleave(settings.beam, 0).keep();
      texts = new long[(int) memory.size(0)][0];
    }

    @Override
    public Tensor next(long[] ids) {
      for (int i = 0; i < texts.length; i++) {
        texts[i] = Arrays.copyOf(texts[i], texts[i].length + 1);
        texts[i][texts[i].length - 1] = ids[i];
      }
      int length = texts[0].length;
      long[] flat = Arrays.stream(texts).flatMapToLong(Arrays::stream).toArray();
      return model
          .hidden(memory, paddingMask, Tensor.of(flat, texts.length, length))
          .select(1, length - 1);
    }

    @Override
    public void select(long[] rows, long[] sources) {
      texts = Arrays.stream(rows).mapToObj(row -> texts[(int) row]).toArray(long[][]::new);
      if (sources != null) {
        Tensor chosen = Tensor.of(rows);
        Tensor before = memory;
        memory = memory.indexSelect(0, chosen).keep();
        before.close();
        if (paddingMask != null) {
          Tensor mask = paddingMask;
          paddingMask = paddingMask.indexSelect(0, chosen).keep();
          mask.close();
        }
      }
    }

    @Override
    public void close() {
      memory.close();
      if (paddingMask != null) {
        paddingMask.close();
      }
    }
  }
}
