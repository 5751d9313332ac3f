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

  @Override
  public Integer id(String token) {
    return vocabulary.ids().get(token);
  }

  @Override
  public String token(int id) {
    return vocabulary.token(id);
  }

  @Override
  public int size() {
    return vocabulary.ids().size();
  }

  @Override
  public int limit() {
    return vocabulary.tokens().length;
  }
}
