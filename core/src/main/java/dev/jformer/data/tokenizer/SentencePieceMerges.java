package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the scores of SentencePiece's BPE into merges. SentencePiece joins the neighbours whose
 * token has the highest score, whatever two tokens it is made of, so each way to cut a token in two
 * is a merge of its score.
 */
final class SentencePieceMerges {
  /** What stands for a space in tokens. */
  static final String SPACE = "\u2581";

  /** Longer tokens are not made by merges, to bound the work; real ones have 16 characters. */
  private static final int LONGEST = 256;

  /**
   * A merge.
   *
   * @param score of the token that it makes
   */
  record Merge(String left, String right, float score) {}

  private SentencePieceMerges() {}

  /** The merges in order of priority. */
  static List<Merge> of(List<String> tokens, float[] scores, int[] kinds) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < scores.length; id++) {
      if (isText(kinds[id])) {
        ids.putIfAbsent(tokens.get(id), id);
      }
    }
    List<Merge> merges = new ArrayList<>();
    ids.values().stream().sorted().forEach(id -> add(tokens.get(id), scores[id], ids, merges));
    merges.sort(Comparator.comparing((Merge merge) -> -merge.score()));
    return merges;
  }

  private static boolean isText(int kind) {
    return kind == GgufTokenKind.NORMAL || kind == GgufTokenKind.USER;
  }

  private static void add(String token, float score, Map<String, Integer> ids, List<Merge> merges) {
    if (token.length() > LONGEST || Float.isNaN(score)) {
      return;
    }
    for (int at = 1; at < token.length(); at++) {
      String left = token.substring(0, at);
      String right = token.substring(at);
      if (ids.containsKey(left) && ids.containsKey(right)) {
        merges.add(new Merge(left, right, score));
      }
    }
  }
}
