package dev.jformer.data.tokenizer;

/** A vocabulary of whole words. */
record WordLevelModel(SubwordModel.Vocabulary vocabulary, String unknown) implements SubwordModel {
  static SubwordModel of(JsonFields fields) {
    return new WordLevelModel(Vocabulary.of(fields), fields.text("unk_token", "<unk>"));
  }

  @Override
  public void encode(String word, TokenIds ids) {
    Integer id = vocabulary.ids().get(word);
    ids.add(id == null ? vocabulary.unknown(unknown, word) : id);
  }
}
