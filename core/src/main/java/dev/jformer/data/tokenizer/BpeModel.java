package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Byte-pair encoding (<a href="https://arxiv.org/abs/1508.07909">Neural Machine Translation of Rare
 * Words with Subword Units</a>): a word begins as its characters, and the pair of neighbours that
 * was merged first in training is merged first. The dropout of merges, which only serves training,
 * is left out.
 */
final class BpeModel implements SubwordModel {
  /** Words that are remembered, with their ids. */
  private static final int REMEMBERED = 20_000;

  private static final int LONGEST_REMEMBERED = 64;

  private final Vocabulary vocabulary;
  private final PairTable merges;

  /** The token that a merge makes, by the merge's rank. */
  private final int[] made;

  private final String unknown;
  private final String prefix;
  private final String suffix;
  private final boolean unknownsJoin;
  private final boolean unknownBytes;
  private final boolean wholeWords;
  private final Map<String, int[]> remembered = new ConcurrentHashMap<>();

  private BpeModel(JsonFields fields) {
    vocabulary = Vocabulary.of(fields);
    unknown = fields.text("unk_token", null);
    prefix = fields.text("continuing_subword_prefix", "");
    suffix = fields.text("end_of_word_suffix", "");
    unknownsJoin = fields.flag("fuse_unk", false);
    unknownBytes = fields.flag("byte_fallback", false);
    wholeWords = fields.flag("ignore_merges", false);
    JsonNode pairs = fields.list("merges");
    merges = new PairTable(pairs.size());
    made = new int[pairs.size()];
    for (int rank = 0; rank < made.length; rank++) {
      String[] pair = pair(pairs.get(rank), rank);
      made[rank] = id(joined(pair, rank), rank);
      merges.put(id(pair[0], rank), id(pair[1], rank), rank);
    }
  }

  static SubwordModel of(JsonFields fields) {
    return new BpeModel(fields);
  }

  /** A merge is a list of two tokens, or both in one text with a space between. */
  private static String[] pair(JsonNode merge, int rank) {
    if (merge.isArray()
        && merge.size() == 2
        && merge.get(0).isTextual()
        && merge.get(1).isTextual()) {
      return new String[] {merge.get(0).textValue(), merge.get(1).textValue()};
    }
    String[] parts = merge.isTextual() ? merge.textValue().split(" ", -1) : new String[0];
    if (parts.length != 2) {
      throw wrong(merge.toString(), rank, "expected two tokens with a space between");
    }
    return parts;
  }

  /** The token that a merge makes: its right part loses the prefix of parts within a word. */
  private String joined(String[] pair, int rank) {
    if (!pair[1].startsWith(prefix)) {
      throw wrong(
          String.join(" ", pair),
          rank,
          "expected a right part that begins with the continuing_subword_prefix "
              + FormatException.quote(prefix));
    }
    return pair[0] + pair[1].substring(prefix.length());
  }

  private int id(String token, int rank) {
    Integer id = vocabulary.ids().get(token);
    if (id == null) {
      throw wrong(
          token,
          rank,
          "expected a token of the vocabulary, which " + vocabulary.ids().size() + " are");
    }
    return id;
  }

  private static DataException wrong(String found, int rank, String expected) {
    return new DataException(
        "model.merges." + rank + " has " + FormatException.quote(found) + ": " + expected);
  }

  @Override
  public void encode(String word, TokenIds ids) {
    if (wholeWords && vocabulary.ids().containsKey(word)) {
      ids.add(vocabulary.ids().get(word));
      return;
    }
    int[] known = remembered.get(word);
    if (known == null) {
      TokenIds symbols = new TokenIds();
      symbols(word, symbols);
      known = merge(symbols.toArray());
      if (word.length() <= LONGEST_REMEMBERED && remembered.size() < REMEMBERED) {
        remembered.put(word, known);
      }
    }
    ids.addAll(known);
  }

  /** The ids of a word's characters. */
  private void symbols(String word, TokenIds symbols) {
    int unknowns = 0;
    for (int at = 0; at < word.length(); ) {
      int next = at + Character.charCount(word.codePointAt(at));
      String symbol = word.substring(at, next);
      if (at > 0) {
        symbol = prefix + symbol;
      }
      if (next == word.length()) {
        symbol += suffix;
      }
      at = next;
      Integer id = vocabulary.ids().get(symbol);
      if (id != null) {
        addUnknowns(unknowns, word, symbols);
        unknowns = 0;
        symbols.add(id);
      } else if (!unknownBytes || !addBytes(symbol, symbols)) {
        unknowns += unknown == null ? 0 : 1;
        if (unknowns > 1) {
          addUnknowns(unknownsJoin ? 0 : unknowns - 1, word, symbols);
          unknowns = 1;
        }
      }
    }
    addUnknowns(unknowns, word, symbols);
  }

  private void addUnknowns(int count, String word, TokenIds symbols) {
    for (int i = 0; i < count; i++) {
      symbols.add(vocabulary.unknown(unknown, word));
    }
  }

  /** Adds the tokens of a text's bytes, if the vocabulary has them all. */
  private boolean addBytes(String text, TokenIds symbols) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] found = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      Integer id = vocabulary.ids().get(byteToken(bytes[i]));
      if (id == null) {
        return false;
      }
      found[i] = id;
    }
    symbols.addAll(found);
    return true;
  }

  /** The token that stands for a byte, such as {@code <0x0A>}. */
  static String byteToken(byte value) {
    return String.format(Locale.ROOT, "<0x%02X>", value);
  }

  /** Merges neighbours until no merge applies; merged symbols leave a gap, which is -1. */
  private int[] merge(int[] symbols) {
    int[] after = new int[symbols.length]; // the place of the symbol after each
    int[] before = new int[symbols.length];
    PriorityQueue<Long> queue = new PriorityQueue<>(); // rank, then place
    for (int i = 0; i < symbols.length; i++) {
      before[i] = i - 1;
      after[i] = i + 1;
      offer(queue, symbols, i, i + 1);
    }
    while (!queue.isEmpty()) {
      long first = queue.poll();
      int at = (int) first;
      int next = symbols[at] < 0 ? symbols.length : after[at];
      if (next == symbols.length) {
        continue;
      }
      int rank = merges.get(symbols[at], symbols[next]);
      int token = made[(int) (first >>> 32)];
      if (rank < 0 || made[rank] != token) {
        continue; // another merge took one of the two
      }
      symbols[at] = token;
      symbols[next] = -1;
      after[at] = after[next];
      if (after[at] < symbols.length) {
        before[after[at]] = at;
      }
      offer(queue, symbols, before[at], at);
      offer(queue, symbols, at, after[at]);
    }
    return Arrays.stream(symbols).filter(symbol -> symbol >= 0).toArray();
  }

  private void offer(PriorityQueue<Long> queue, int[] symbols, int left, int right) {
    if (left >= 0 && right < symbols.length) {
      int rank = merges.get(symbols[left], symbols[right]);
      if (rank >= 0) {
        queue.add(((long) rank << 32) | left);
      }
    }
  }

  @Override
  public Vocabulary vocabulary() {
    return vocabulary;
  }
}
