"""A CasparCG server without pictures that has the real one's bad manners, as seen on 2.5.0. It imports none of ours."""
