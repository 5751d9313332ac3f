package dev.jformer.run;

import dev.jformer.data.DataException;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.Sample;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.hub.ChatMessage;
import dev.jformer.hub.ChatTemplate;
import java.util.ArrayList;
import java.util.List;

/**
 * Converts conversations to tokens by a model's chat template. An answer is what the template adds
 * for it to the text that the model would be given to answer; it is learned, all else is only read.
 *
 * @param source name of the file, for messages
 */
record ConversationEncoder(ChatTemplate template, Tokenizer tokenizer, String source) {
  /**
   * The tokens of a conversation.
   *
   * @throws DataException if the template refuses it; the message has the number of its line
   */
  EncodedSample encode(Sample.Conversation conversation) {
    List<ChatMessage> before = new ArrayList<>();
    EncodedSample encoded = new EncodedSample(new int[0], new boolean[0]);
    String text = "";
    for (Sample.Turn turn : conversation.messages()) {
      boolean answer = turn.role().equals(Sample.Turn.ASSISTANT);
      String prompt = answer ? rendered(before, true, conversation) : "";
      before.add(new ChatMessage(turn.role(), turn.content()));
      if (answer) {
        String whole = rendered(before, false, conversation);
        expectBegins(prompt, text, conversation);
        expectBegins(whole, prompt, conversation);
        int[] read = tokenizer.encode(prompt.substring(text.length()));
        int[] learned = tokenizer.encode(whole.substring(prompt.length()));
        encoded = encoded.then(EncodedSample.of(read, learned));
        text = whole;
      }
    }
    return encoded;
  }

  /** The text that the model is given before its last answer. */
  String lastPrompt(Sample.Conversation conversation) {
    List<ChatMessage> before = new ArrayList<>();
    List<Sample.Turn> turns = conversation.messages();
    turns
        .subList(0, turns.size() - 1)
        .forEach(turn -> before.add(new ChatMessage(turn.role(), turn.content())));
    return rendered(before, true, conversation);
  }

  private String rendered(
      List<ChatMessage> messages, boolean prompt, Sample.Conversation conversation) {
    try {
      return template.render(messages, prompt);
    } catch (DataException e) {
      throw wrong(conversation, e.getMessage());
    }
  }

  private void expectBegins(String whole, String part, Sample.Conversation conversation) {
    if (!whole.startsWith(part)) {
      throw wrong(
          conversation,
          "the model's chat template changes what stands before an answer when the answer is added,"
              + " so it cannot be told what is to be learned: give prompt and completion instead");
    }
  }

  private DataException wrong(Sample.Conversation conversation, String what) {
    return new DataException(source + ", line " + conversation.line() + ": " + what);
  }
}
