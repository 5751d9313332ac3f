package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Seeks the vocabulary and the cuts of words under which independent tokens make a text most
 * probable.
 */
final class LikelihoodSearch {
  private static final double UNUSED = 0.5;

  /** Exchanges begin with this share of the vocabulary, and get smaller where they fail. */
  private static final double SHARE = 0.1;

  /** So many of the most promising exchanges of one token are tried before the search ends. */
  private static final int TRIED = 8;

  /** Of texts with more distinct words, pieces are taken in one by one in the end. */
  private static final int FEW_WORDS = 1000;

  /** The most pieces that become one at once. */
  private static final int LONGEST_RUN = 8;

  /** A smaller rise of the likelihood, as a share of it, is none. */
  private static final double RISE = 1e-6;

  private final List<String> base;
  private final WordCounts.Words words;

  /**
   * Begins with a text.
   *
   * @param base the pieces of one symbol, which every vocabulary has
   */
  LikelihoodSearch(List<String> base, WordCounts.Words words) {
    this.base = base;
    this.words = words;
  }

  /**
   * A vocabulary and how often each of its pieces is used.
   *
   * @param cuts the pieces of each word
   * @param likelihood its logarithm
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Encoding(List<String> pieces, double[] counts, int[][] cuts, double likelihood) {
    double total() {
      return Arrays.stream(counts).sum();
    }

    /** Logarithms of the pieces' probabilities. */
    double[] scores() {
      double total = Math.max(1, total());
      return Arrays.stream(counts).map(c -> Math.log(Math.max(UNUSED, c) / total)).toArray();
    }
  }

  /** A change of the vocabulary, and what it adds to the likelihood if cuts stay otherwise. */
  private record Change(String piece, double count, double gain) {}

  /**
   * Finds the best encoding that it can.
   *
   * @param size the most pieces
   * @param progress called with the number of pieces so far
   */
  Encoding run(int size, IntConsumer progress) {
    List<String> merged = new ArrayList<>(base);
    WordPieceTrainer.merge(merged, words, size, progress);
    Encoding fromPairs = improved(settle(counts(merged)), size);
    Encoding fromWords = improved(settle(counts(frequent(size))), size);
    return fromWords.likelihood > fromPairs.likelihood ? fromWords : fromPairs;
  }

  /** Pieces of one symbol, and as many as may be of the words that cover most of the text. */
  private List<String> frequent(int size) {
    List<String> pieces = new ArrayList<>(base);
    IntStream.range(0, words.frequencies().length)
        .filter(w -> words.spelled().get(w).length() > 1)
        .filter(w -> words.spelled().get(w).length() <= WordCounts.LONGEST_TOKEN)
        .boxed()
        .sorted(
            Comparator.comparingLong(
                (Integer w) -> -(long) words.frequencies()[w] * words.spelled().get(w).length()))
        .limit(size - base.size())
        .forEach(w -> pieces.add(words.spelled().get(w)));
    return pieces;
  }

  private Map<String, Double> counts(List<String> pieces) {
    Map<String, Double> counts = new HashMap<>();
    pieces.forEach(piece -> counts.put(piece, 1.0));
    return counts;
  }

  /** Exchanges pieces until that raises the likelihood no more. */
  private Encoding improved(Encoding start, int size) {
    Encoding now = start;
    int most = (int) Math.max(1, SHARE * (size - base.size()));
    while (most > 0) {
      Encoding next = most > 1 ? exchanged(now, size, most) : exchanged(now, size);
      if (next == null) {
        most /= 2;
      } else {
        now = next;
      }
    }
    return now;
  }

  /** Takes in the best pieces and leaves out those of least use; null if nothing is gained. */
  private Encoding exchanged(Encoding now, int size, int most) {
    List<Change> in = gains(now);
    List<Change> out = losses(now);
    int left = Math.min(most, out.size());
    int taken = Math.min(size - now.pieces.size() + left, in.size());
    return better(now, in.subList(0, taken), out.subList(0, left));
  }

  /** Takes in a piece or two, leaves out one, or both; null if nothing is gained. */
  private Encoding exchanged(Encoding now, int size) {
    List<Change> in = gains(now);
    List<Change> out = losses(now);
    in = in.subList(0, Math.min(TRIED, in.size()));
    out = out.subList(0, Math.min(TRIED, out.size()));
    int free = size - now.pieces.size();
    for (List<Change> more : few(in, words.frequencies().length <= FEW_WORDS)) {
      for (List<Change> less : few(out, false)) {
        if (more.size() - less.size() <= free && more.size() + less.size() > 0) {
          Encoding next = better(now, more, less);
          if (next != null) {
            return next;
          }
        }
      }
    }
    return null;
  }

  /** None, each one, and perhaps each two of some. */
  private static List<List<Change>> few(List<Change> some, boolean two) {
    List<List<Change>> few = new ArrayList<>(List.of(List.of()));
    some.forEach(one -> few.add(List.of(one)));
    for (int i = 0; two && i < some.size(); i++) {
      for (int j = 0; j < i; j++) {
        few.add(List.of(some.get(j), some.get(i)));
      }
    }
    return few;
  }

  /** The encoding with some pieces more and some less; null if nothing is gained. */
  private Encoding better(Encoding now, List<Change> in, List<Change> out) {
    Map<String, Double> counts = new HashMap<>();
    for (int i = 0; i < now.counts.length; i++) {
      counts.put(now.pieces.get(i), now.counts[i]);
    }
    out.forEach(change -> counts.remove(change.piece));
    in.forEach(change -> counts.put(change.piece, change.count));
    Encoding next = settle(counts);
    return next.likelihood > now.likelihood + RISE * Math.abs(now.likelihood) ? next : null;
  }

  /**
   * Cuts all words by the most probable pieces, and learns the pieces' shares from that, until the
   * likelihood rises no more; unused pieces are dropped, but not those of one symbol.
   */
  private Encoding settle(Map<String, Double> counts) {
    Set<String> singles = new HashSet<>(base);
    List<String> pieces = new ArrayList<>(base);
    counts.keySet().stream()
        .filter(piece -> !singles.contains(piece))
        .sorted()
        .forEach(pieces::add);
    double[] used = pieces.stream().mapToDouble(p -> counts.getOrDefault(p, 0.0)).toArray();
    Encoding best = new Encoding(pieces, used, null, Double.NEGATIVE_INFINITY);
    while (true) {
      Encoding next = cut(best);
      if (!(next.likelihood > best.likelihood + RISE * Math.abs(next.likelihood))) {
        return best;
      }
      best = next;
    }
  }

  private Encoding cut(Encoding before) {
    PieceLattice lattice = new PieceLattice(before.pieces, before.scores());
    double[] counts = new double[before.counts.length];
    int[][] cuts = new int[words.frequencies().length][];
    for (int w = 0; w < cuts.length; w++) {
      cuts[w] = lattice.best(words.spelled().get(w), -1);
      for (int piece : cuts[w]) {
        counts[piece] += words.frequencies()[w];
      }
    }
    int[] kept =
        IntStream.range(0, counts.length).filter(i -> i < base.size() || counts[i] > 0).toArray();
    int[] now = new int[counts.length];
    for (int i = 0; i < kept.length; i++) {
      now[kept[i]] = i;
    }
    for (int[] cut : cuts) {
      Arrays.setAll(cut, i -> now[cut[i]]);
    }
    double[] left = IntStream.of(kept).mapToDouble(i -> counts[i]).toArray();
    List<String> pieces = IntStream.of(kept).mapToObj(before.pieces::get).toList();
    double likelihood = -WordPieceTrainer.entropy(Arrays.stream(left).sum());
    for (double count : left) {
      likelihood += WordPieceTrainer.entropy(count);
    }
    return new Encoding(pieces, left, cuts, likelihood);
  }

  /** What each piece is worth, from the least on: other pieces would take its place. */
  private List<Change> losses(Encoding now) {
    PieceLattice lattice = new PieceLattice(now.pieces, now.scores());
    List<Change> losses = new ArrayList<>();
    for (int piece = base.size(); piece < now.counts.length; piece++) {
      double count = now.counts[piece];
      int[] others = lattice.best(now.pieces.get(piece), piece);
      losses.add(new Change(now.pieces.get(piece), count, -gain(now, others, count)));
    }
    losses.sort(Comparator.comparingDouble(Change::gain).thenComparing(Change::piece));
    return losses;
  }

  /**
   * By how much the likelihood falls, times -1, if a piece that is used so often is cut into
   * others; the piece's own count is that of one that has none of them.
   */
  private static double gain(Encoding now, int[] others, double count) {
    double total = now.total();
    double change =
        -WordPieceTrainer.entropy(count)
            + WordPieceTrainer.entropy(total)
            - WordPieceTrainer.entropy(total + count * (others.length - 1));
    return change + moved(now, others, count);
  }

  /** What the counts of pieces contribute if each occurrence among some pieces adds to them. */
  private static double moved(Encoding now, int[] pieces, double each) {
    int[] sorted = pieces.clone();
    Arrays.sort(sorted);
    double change = 0;
    for (int i = 0; i < sorted.length; ) {
      int next = i;
      while (next < sorted.length && sorted[next] == sorted[i]) {
        next++;
      }
      double count = now.counts[sorted[i]];
      change +=
          WordPieceTrainer.entropy(count + each * (next - i)) - WordPieceTrainer.entropy(count);
      i = next;
    }
    return change;
  }

  /** Runs of pieces that would raise the likelihood as one, the best first. */
  private List<Change> gains(Encoding now) {
    Map<String, int[]> runs = new HashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    for (int w = 0; w < now.cuts.length; w++) {
      int[] cut = now.cuts[w];
      for (int from = 0; from < cut.length; from++) {
        StringBuilder text = new StringBuilder(now.pieces.get(cut[from]));
        for (int to = from + 1; to < Math.min(cut.length, from + LONGEST_RUN); to++) {
          text.append(now.pieces.get(cut[to]));
          if (text.length() > WordCounts.LONGEST_TOKEN) {
            break;
          }
          String piece = text.toString();
          int[] run = Arrays.copyOfRange(cut, from, to + 1);
          if (Arrays.equals(runs.computeIfAbsent(piece, p -> run), run)) {
            counts.merge(piece, words.frequencies()[w], Integer::sum);
          }
        }
      }
    }
    List<Change> gains = new ArrayList<>();
    Collection<String> known = new HashSet<>(now.pieces);
    double total = now.total();
    counts.forEach(
        (piece, count) -> {
          int[] run = runs.get(piece);
          double possible = possible(now, run, count);
          if (count > 1 && !known.contains(piece)) {
            double gain =
                WordPieceTrainer.entropy(possible)
                    + moved(now, run, -possible)
                    + WordPieceTrainer.entropy(total)
                    - WordPieceTrainer.entropy(total - possible * (run.length - 1));
            gains.add(new Change(piece, possible, gain));
          }
        });
    gains.removeIf(change -> !(change.gain > 0));
    gains.sort(Comparator.comparingDouble((Change c) -> -c.gain).thenComparing(Change::piece));
    return gains;
  }

  /** Runs may overlap: they cannot use a piece more often than it occurs. */
  private static double possible(Encoding now, int[] run, double count) {
    double possible = count;
    for (int piece : run) {
      double times = IntStream.of(run).filter(other -> other == piece).count();
      possible = Math.min(possible, now.counts[piece] / times);
    }
    return possible;
  }
}
