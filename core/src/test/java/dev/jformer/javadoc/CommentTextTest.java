package dev.jformer.javadoc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class CommentTextTest {
  private static final String COMMENT =
      """
      The nested perceptron of
      <a href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for
      Elastic Inference</a>, whose {@code first} units are a smaller one. More.

      <p>See {@link dev.jformer.nn.Linear#forward}, {@link #use here} and {@linkplain Kind any kind}:
      a &lt; b, {@literal @}Service, <em>nested</em>.

      <ul>
        <li>one
        <li>{@code {a}}
      </ul>""";

  @Test
  void plainTextHasNoMarkup() {
    assertEquals(
        """
        The nested perceptron of
        MatFormer: Nested Transformer for Elastic Inference, whose first units are a smaller one. More.

        See Linear.forward, here and any kind:
        a < b, @Service, nested.

        - one
        - {a}""",
        CommentText.plain(COMMENT));
  }

  @Test
  void markdownKeepsLinksCodeAndEmphasis() {
    String markdown = CommentText.markdown(COMMENT);
    assertEquals(
        "The nested perceptron of\n"
            + "[MatFormer: Nested Transformer for Elastic Inference](https://arxiv.org/abs/2310.07707),"
            + " whose `first` units are a smaller one. More.",
        markdown.split("\n\n")[0]);
    assertEquals(
        "See `Linear.forward`, `here` and any kind:\na < b, @Service, *nested*.",
        markdown.split("\n\n")[1]);
  }

  @Test
  void listsAndFormulasKeepTheirForm() {
    String comment =
        """
        Text:

        <pre>
          a[t] = b &lt; c
            d
        </pre>

        then

        <ul>
          <li>an item
              of two lines
          <li>{@code x}: another
        </ul>

        The end.""";
    assertEquals(
        "Text:\n\n```\n  a[t] = b < c\n    d\n```\n\nthen\n\n- an item of two lines\n- `x`: another"
            + "\n\nThe end.",
        CommentText.markdown(comment));
  }

  @Test
  void theFirstSentenceStandsOnOneLine() {
    assertEquals(
        "The nested perceptron of MatFormer: Nested Transformer for Elastic Inference, whose first"
            + " units are a smaller one.",
        CommentText.firstSentence(COMMENT));
    assertEquals("LLM.int8() of nothing", CommentText.firstSentence("LLM.int8() of\nnothing"));
    assertEquals("Is it? Yes, 1.5 times.", CommentText.firstSentence("Is it? Yes, 1.5 times. No."));
  }

  @Test
  void linksHaveTitlesAndAddresses() {
    assertEquals(
        List.of(
            new PaperLink(
                "MatFormer: Nested Transformer for Elastic Inference",
                "https://arxiv.org/abs/2310.07707")),
        CommentText.links(COMMENT));
  }
}
