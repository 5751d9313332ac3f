package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The unigram model of SentencePiece (<a href="https://arxiv.org/abs/1804.10959">Subword
 * Regularization</a>): of all ways to cut a text into pieces, the one whose pieces are most
 * probable together. Neighbouring characters that are in no piece become one unknown token.
 */
final class UnigramModel implements SubwordModel {
  /** What an unknown character costs more than the least probable piece. */
  private static final double UNKNOWN_PENALTY = 10;

  /** The last id of each piece, and the pieces. */
  private final Vocabulary vocabulary;

  private final double[] scores;

  /** All pieces in order, so that those with a common start are neighbours. */
  private final String[] sorted;

  private final int unknown;
  private final double unknownScore;
  private final boolean unknownBytes;

  private UnigramModel(JsonFields fields) {
    JsonNode vocab = fields.list("vocab");
    vocabulary = new Vocabulary(new HashMap<>(), new String[vocab.size()]);
    Map<String, Integer> ids = vocabulary.ids();
    String[] pieces = vocabulary.tokens();
    scores = new double[vocab.size()];
    double least = Double.POSITIVE_INFINITY;
    for (int id = 0; id < pieces.length; id++) {
      JsonNode entry = vocab.get(id);
      if (entry.size() != 2 || !entry.path(0).isTextual() || !entry.path(1).isNumber()) {
        throw new DataException(
            "model.vocab."
                + id
                + " is "
                + FormatException.oneLine(entry.toString())
                + ": expected a list of a text and a number");
      }
      pieces[id] = entry.get(0).textValue();
      scores[id] = entry.get(1).doubleValue();
      ids.put(pieces[id], id);
      least = Math.min(least, scores[id]);
    }
    sorted =
        ids.keySet().stream().filter(piece -> !piece.isEmpty()).sorted().toArray(String[]::new);
    unknown = fields.number("unk_id", 0, -1);
    if (unknown >= pieces.length) {
      throw new DataException(
          "model.unk_id is " + unknown + ", but the vocabulary has " + pieces.length + " pieces");
    }
    unknownScore = least - UNKNOWN_PENALTY;
    unknownBytes = fields.flag("byte_fallback", false);
  }

  static SubwordModel of(JsonFields fields) {
    return new UnigramModel(fields);
  }

  @Override
  public void encode(String word, TokenIds into) {
    for (int[] range : best(word)) {
      String piece = word.substring(range[0], range[1]);
      Integer id = vocabulary.ids().get(piece);
      if (id != null) {
        into.add(id);
      } else if (!unknownBytes || !addBytes(piece, into)) {
        into.add(known(piece));
      }
    }
  }

  private int known(String piece) {
    if (unknown < 0) {
      throw Vocabulary.missing(piece);
    }
    return unknown;
  }

  private boolean addBytes(String piece, TokenIds into) {
    byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
    int[] found = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      Integer id = vocabulary.ids().get(BpeModel.byteToken(bytes[i]));
      if (id == null) {
        return false;
      }
      found[i] = id;
    }
    into.addAll(found);
    return true;
  }

  /** The most probable pieces, as starts and ends; unknown neighbours are one. */
  private Deque<int[]> best(String word) {
    double[] score = new double[word.length() + 1];
    int[] from = new int[word.length() + 1]; // where the last piece of the best cut begins
    int[] last = new int[word.length() + 1]; // its id
    Arrays.fill(from, -1);
    for (int at = 0; at < word.length(); ) {
      int next = at + Character.charCount(word.codePointAt(at));
      boolean single = false;
      int low = 0;
      int high = sorted.length;
      for (int end = at + 1; end <= word.length() && low < high; end++) {
        char c = word.charAt(end - 1);
        low = bound(low, high, end - 1 - at, c);
        high = bound(low, high, end - 1 - at, c + 1);
        if (low < high && sorted[low].length() == end - at) {
          int id = vocabulary.ids().get(sorted[low]);
          single |= end == next;
          extend(score, from, last, at, end, id, scores[id]);
        }
      }
      if (!single) {
        extend(score, from, last, at, next, known(word.substring(at, next)), unknownScore);
      }
      at = next;
    }
    return path(from, last);
  }

  private static void extend(
      double[] score, int[] from, int[] last, int at, int end, int id, double more) {
    double sum = score[at] + more;
    if (from[end] < 0 || sum > score[end]) {
      score[end] = sum;
      from[end] = at;
      last[end] = id;
    }
  }

  private Deque<int[]> path(int[] from, int[] last) {
    Deque<int[]> path = new ArrayDeque<>();
    boolean joined = false;
    for (int end = from.length - 1; end > 0; end = from[end]) {
      boolean isUnknown = last[end] == unknown;
      if (isUnknown && joined) {
        path.getFirst()[0] = from[end];
      } else {
        path.addFirst(new int[] {from[end], end});
      }
      joined = isUnknown;
    }
    return path;
  }

  /** The first piece in a range whose character at a depth is at least {@code c}. */
  private int bound(int from, int to, int depth, int c) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      String piece = sorted[middle];
      if (piece.length() <= depth || piece.charAt(depth) < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** The number of pieces; a piece may stand twice. */
  @Override
  public int size() {
    return vocabulary.tokens().length;
  }
}
