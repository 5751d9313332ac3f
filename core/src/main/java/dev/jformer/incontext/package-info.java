/**
 * Models of the theory of learning in context: linear attention in closed form, random features
 * solved by ridge regression, and one layer of attention whose training can be followed.
 */
package dev.jformer.incontext;
