package dev.jformer.data.tokenizer;

import java.util.BitSet;

/**
 * Classes of characters as Hugging Face's tokenizers has them. Its tables of punctuation, marks and
 * control characters are older than Java's: the characters that are listed here came later, and are
 * of none of these classes there.
 */
final class CharacterClasses {
  private static final BitSet LATER_NONSPACING =
      ranges(
          "7fd 8d3-8e1 9fe afa-aff b55 c04 d00 d3b-d3c d81 eba 1885-1886 1abf-1ac0 1df6-1df9 1dfb"
              + " a82c a8c5 a8ff a9bd 10d24-10d27 10eab-10eac 10f46-10f50 111c9 111cf 1123e 1133b"
              + " 11438-1143f 11442-11444 11446 1145e 1182f-11837 11839-1183a 1193b-1193c 1193e"
              + " 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38 11a3b-11a3e 11a47"
              + " 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11c30-11c36 11c38-11c3d 11c3f"
              + " 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d"
              + " 11d3f-11d45 11d47 11d90-11d91 11d95 11d97 11ef3-11ef4 16f4f 16fe4 1e000-1e006"
              + " 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e130-1e136 1e2ec-1e2ef"
              + " 1e944-1e94a");
  private static final BitSet LATER_MARKS =
      ranges(
          "7fd 8d3 9fe afa-aff b55 c04 d00 d3b-d3c d81 eba 1abf-1ac0 1cf7 1df6-1df9 a82c a8ff"
              + " 10d24-10d27 10eab-10eac 10f46-10f50 11145-11146 111c9 111ce-111cf 1133b 1145e"
              + " 1182c-1183a 11930-11935 11937-11938 1193b-1193e 11940 11942-11943 119d1-119d7"
              + " 119da-119e0 119e4 11a01-11a0a 11a33-11a39 11a3b-11a3e 11a47 11a51-11a5b"
              + " 11a8a-11a99 11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d8a-11d8e"
              + " 11d90-11d91 11d93-11d97 11ef3-11ef6 16f4f 16f7f-16f87 16fe4 16ff0-16ff1"
              + " 1e130-1e136 1e2ec-1e2ef");
  private static final BitSet LATER_PUNCTUATION =
      ranges(
          "9fd a76 c77 c84 2e43-2e4f 2e52 10ead 10f55-10f59 1144b-1144f 1145a-1145b 1145d"
              + " 11660-1166c 1183b 11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2"
              + " 11c41-11c45 11c70-11c71 11ef7-11ef8 11fff 16e97-16e9a 16fe2 1e95e-1e95f");
  private static final BitSet LATER_CONTROL = ranges("8e2 110cd 13430-13438");

  /** Punctuation in the older tables that is none today. */
  private static final BitSet FORMER_PUNCTUATION = ranges("166d 111c9");

  private static final BitSet FORMER_MARKS = ranges("1cf2-1cf3");

  private static final BitSet SPACE =
      ranges("9-d 20 85 a0 1680 2000-200a 2028-2029 202f 205f 3000");
  private static final BitSet CHINESE =
      ranges(
          "3400-4dbf 4e00-9fff f900-faff 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf"
              + " 2f800-2fa1f");

  private static final int NONSPACING = 1 << Character.NON_SPACING_MARK;
  private static final int MARKS =
      NONSPACING | (1 << Character.ENCLOSING_MARK) | (1 << Character.COMBINING_SPACING_MARK);
  private static final int NUMBERS =
      (1 << Character.DECIMAL_DIGIT_NUMBER)
          | (1 << Character.LETTER_NUMBER)
          | (1 << Character.OTHER_NUMBER);
  private static final int CONTROLS =
      (1 << Character.CONTROL) | (1 << Character.FORMAT) | (1 << Character.PRIVATE_USE);
  private static final int PUNCTUATION =
      (1 << Character.CONNECTOR_PUNCTUATION)
          | (1 << Character.DASH_PUNCTUATION)
          | (1 << Character.START_PUNCTUATION)
          | (1 << Character.END_PUNCTUATION)
          | (1 << Character.INITIAL_QUOTE_PUNCTUATION)
          | (1 << Character.FINAL_QUOTE_PUNCTUATION)
          | (1 << Character.OTHER_PUNCTUATION);

  private CharacterClasses() {}

  /** The characters of ranges such as {@code 9-d 20}, in hexadecimal numbers. */
  static BitSet ranges(String text) {
    BitSet set = new BitSet();
    for (String range : text.split(" ")) {
      String[] ends = range.split("-");
      set.set(Integer.parseInt(ends[0], 16), Integer.parseInt(ends[ends.length - 1], 16) + 1);
    }
    return set;
  }

  private static boolean is(int c, int types) {
    return ((1 << Character.getType(c)) & types) != 0;
  }

  static boolean isNonspacingMark(int c) {
    return is(c, NONSPACING) && !LATER_NONSPACING.get(c);
  }

  static boolean isMark(int c) {
    return (is(c, MARKS) && !LATER_MARKS.get(c)) || FORMER_MARKS.get(c);
  }

  static boolean isNumber(int c) {
    return is(c, NUMBERS);
  }

  static boolean isPunctuation(int c) {
    if (c < 128) {
      return c > ' ' && c < 127 && !Character.isLetterOrDigit(c);
    }
    return (is(c, PUNCTUATION) && !LATER_PUNCTUATION.get(c)) || FORMER_PUNCTUATION.get(c);
  }

  /** Whether it is a control character other than tabulator and line ends. */
  static boolean isControl(int c) {
    return c != '\t' && c != '\n' && c != '\r' && is(c, CONTROLS) && !LATER_CONTROL.get(c);
  }

  /** Whether it has Unicode's property White_Space. */
  static boolean isSpace(int c) {
    return SPACE.get(c);
  }

  /** Whether it can be part of a word: a letter, a mark, a digit or a connector. */
  static boolean isWord(int c) {
    return Character.isAlphabetic(c)
        || is(c, MARKS)
        || Character.isDigit(c)
        || is(c, 1 << Character.CONNECTOR_PUNCTUATION)
        || c == 0x200C
        || c == 0x200D;
  }

  /** Whether BERT puts spaces around it: it is a character of Chinese. */
  static boolean isChinese(int c) {
    return CHINESE.get(c);
  }
}
